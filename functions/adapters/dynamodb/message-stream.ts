import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { unmarshall } from "@aws-sdk/util-dynamodb";
import type { DynamoDBRecord } from "aws-lambda";
import { messageReceived, type TorpedoEvent } from "../../core/events.ts";
import { eventOf } from "../../core/publish-changes.ts";
import { SORT_KEY } from "./message-keys.ts";
import { messageOfItem } from "./messages.ts";
import { moOfItem } from "./mos.ts";

type Image = Record<string, AttributeValue>;

/**
 * The event that a record of the Messages table's stream (new and old images) gives rise to:
 * a change of a message's state, or a new MO; undefined for any other write.
 * @throws UnreadableItemError where an image is not one that this version knows
 */
export function eventOfRecord({ dynamodb, eventName }: DynamoDBRecord): TorpedoEvent | undefined {
  const before = dynamodb?.OldImage as Image | undefined;
  const after = dynamodb?.NewImage as Image | undefined;
  if (!after) return undefined;
  const sortKey = dynamodb?.Keys?.sk?.S ?? "";
  if (sortKey.startsWith(SORT_KEY.mo)) {
    return eventName === "INSERT" ? messageReceived(moOfItem(unmarshall(after))) : undefined;
  }
  if (sortKey !== SORT_KEY.message) return undefined;
  return eventOf({
    before: before && messageOfItem(unmarshall(before)),
    after: messageOfItem(unmarshall(after)),
  });
}
