import type { SQSClient } from "@aws-sdk/client-sqs";
import { EVENTS_TOGETHER } from "../../core/callback-delivery.ts";
import type { TakeEvents } from "../../core/event-takers.ts";
import type { TorpedoEvent } from "../../core/events.ts";
import { slicesWithin } from "../../core/slices.ts";
import { untakenOf } from "../untaken.ts";
import { sendTogether } from "./send-together.ts";

/** What fits into one request; AWS takes four times as much, but not everything that speaks SQS does. */
const REQUEST = { count: 10, size: 250_000 };

/** An event as it is written down, and where it stood among those that were given. */
interface WrittenEvent {
  readonly index: number;
  readonly text: string;
}

/** Events of one account that travel together. */
interface Group {
  readonly account: string;
  readonly indices: readonly number[];
  readonly body: string;
}

/**
 * The queue of events of which customers' endpoints are to be told, in SQS. Those of one account go
 * together, in their order, and do not stand before another's (docs/decisions/0017).
 */
export function createCallbackEvents(deps: {
  readonly client: SQSClient;
  readonly queueUrl: string;
}): { readonly put: TakeEvents } {
  async function send(groups: readonly Group[]): Promise<Group[]> {
    const messages = groups.map(({ account, body }) => ({
      MessageBody: body,
      MessageGroupId: account,
    }));
    await sendTogether(deps.client, deps.queueUrl, messages);
    return [];
  }

  return {
    async put(events) {
      const slices = slicesWithin(groupsOf(events), REQUEST, ({ body }) => Buffer.byteLength(body));
      const untaken = await untakenOf(slices, send);
      return untaken.flatMap(({ indices }) => indices);
    },
  };
}

function groupsOf(events: readonly TorpedoEvent[]): Group[] {
  const byAccount = new Map<string, WrittenEvent[]>();
  for (const [index, event] of events.entries()) {
    const written = { index, text: textOf(event) };
    const others = byAccount.get(event.account);
    if (others) others.push(written);
    else byAccount.set(event.account, [written]);
  }
  return [...byAccount].flatMap(([account, ofAccount]) =>
    slicesWithin(ofAccount, EVENTS_TOGETHER, ({ text }) => Buffer.byteLength(text)).map(
      (slice) => ({
        account,
        indices: slice.map(({ index }) => index),
        body: `{"events":[${slice.map(({ text }) => text).join(",")}]}`,
      }),
    ),
  );
}

/** What phones send can hold characters that SQS refuses (SendMessage, "MessageBody"), of which JSON escapes all but two. */
const textOf = (event: TorpedoEvent) =>
  JSON.stringify(event).replace(/[\ufffe\uffff]/g, (character) =>
    character === "\ufffe" ? "\\ufffe" : "\\uffff",
  );
