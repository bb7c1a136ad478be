import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import { unmarshall } from "@aws-sdk/util-dynamodb";
import type { DynamoDBRecord } from "aws-lambda";
import { messageReceived, type TorpedoEvent } from "../../core/events.ts";
import { ALL_REASONS, type Reason, STATES, type State } from "../../core/lifecycle.ts";
import {
  changesState,
  eventOf,
  isNewMessage,
  type MessageHead,
} from "../../core/publish-changes.ts";
import { SORT_KEY } from "./message-keys.ts";
import { messageOfItem } from "./messages.ts";
import { moOfItem } from "./mos.ts";

type Image = Readonly<Record<string, AttributeValue>>;

/** A change that a record of the stream shows: of a message, or that there is a new MO. */
export interface StreamedChange {
  /** Whether it is a new message. */
  readonly isNew: boolean;
  /** The message's new state; of an MO, that it was received. */
  readonly state: State | "RECEIVED";
  /**
   * The event that tells of it. Reads the new image whole, so not before somebody wants it.
   * @throws UnreadableItemError where the image is not one that this version knows
   */
  readonly toEvent: () => TorpedoEvent | undefined;
}

/**
 * What a record of the Messages table's stream (new and old images) changes of a message's state,
 * or the new MO that it shows; undefined for any other write. Of a message it looks at the few
 * attributes that tell.
 * @throws UnreadableItemError where an image is not one that this version knows
 */
export function changeOfRecord({
  dynamodb,
  eventName,
}: DynamoDBRecord): StreamedChange | undefined {
  const after = dynamodb?.NewImage as Image | undefined;
  if (!after) return undefined;
  const sortKey = dynamodb?.Keys?.sk?.S ?? "";
  if (sortKey.startsWith(SORT_KEY.mo)) {
    if (eventName !== "INSERT") return undefined;
    const toEvent = () => messageReceived(moOfItem(unmarshall(after)));
    return { isNew: false, state: "RECEIVED", toEvent };
  }
  if (sortKey !== SORT_KEY.message) return undefined;
  const before = dynamodb?.OldImage && headOf(dynamodb.OldImage as Image);
  const head = headOf(after);
  if (!changesState(before, head)) return undefined;
  return {
    isNew: isNewMessage(before, head),
    state: head.state,
    toEvent: () => eventOf({ before, after: messageOfItem(unmarshall(after)) }),
  };
}

const KNOWN_STATES: ReadonlySet<string> = new Set(STATES);
const KNOWN_REASONS: ReadonlySet<string> = new Set(ALL_REASONS);
const isReason = (text: string | undefined): text is Reason => KNOWN_REASONS.has(text ?? "");
const isState = (text: string | undefined): text is State => KNOWN_STATES.has(text ?? "");

/** A message's head, without reading the rest. @throws UnreadableItemError */
function headOf(image: Image): MessageHead {
  const { version, traceId, state, reason, attempts } = image;
  const isKnown = version?.N === "1" && isState(state?.S) && (!reason || isReason(reason.S));
  if (isKnown && traceId?.S && attempts?.N) {
    return {
      traceId: traceId.S,
      state: state.S as State,
      ...(reason && { reason: reason.S as Reason }),
      attempts: Number(attempts.N),
    };
  }
  // It says what is wrong.
  return messageOfItem(unmarshall(image));
}
