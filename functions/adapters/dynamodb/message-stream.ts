import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { unmarshall } from "@aws-sdk/util-dynamodb";
import type { DynamoDBRecord } from "aws-lambda";
import type { MessageWrite } from "../../core/publish-changes.ts";
import { messageOfItem } from "./messages.ts";

type Image = Record<string, AttributeValue>;

/**
 * Reads a record of the messages' stream (new and old images); undefined for a removal.
 * @throws UnreadableItemError where an image is not a message that this version knows
 */
export function messageWriteOf({ dynamodb }: DynamoDBRecord): MessageWrite | undefined {
  const before = dynamodb?.OldImage as Image | undefined;
  const after = dynamodb?.NewImage as Image | undefined;
  if (!after) return undefined;
  return {
    before: before && messageOfItem(unmarshall(before)),
    after: messageOfItem(unmarshall(after)),
  };
}
