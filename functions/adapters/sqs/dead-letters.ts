import { SendMessageCommand, type SQSClient } from "@aws-sdk/client-sqs";
import type * as z from "zod";
import type { DeadLetters } from "../../core/ports.ts";
import type { poisonEnv } from "./env.ts";

/** The most characters of a cause: it travels beside a body that may be as large as SQS takes it. */
const MAX_CAUSE_LENGTH = 1_000;

/** What SQS refuses in a text (SendMessage, "MessageBody"), but for halves of pairs. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const REFUSED = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;

/** A cause as SQS takes it: it must not be empty either. */
const storable = (cause: string) =>
  cause.replace(REFUSED, " ").slice(0, MAX_CAUSE_LENGTH).toWellFormed() || "unknown";

/** A dead-letter queue that is written to by hand, because SQS would tell no cause, or lose the content. */
export interface DeadLetterQueue extends DeadLetters {
  /** Sets a message aside as it came. */
  putBody(body: string, cause: string): Promise<void>;
}

/** A dead-letter queue, in SQS. */
export function createDeadLetters(deps: {
  readonly client: SQSClient;
  readonly queueUrl: string;
}): DeadLetterQueue {
  async function putBody(body: string, cause: string): Promise<void> {
    await deps.client.send(
      new SendMessageCommand({
        QueueUrl: deps.queueUrl,
        MessageBody: body,
        MessageAttributes: { cause: { DataType: "String", StringValue: storable(cause) } },
      }),
    );
  }
  return { putBody, put: (what, cause) => putBody(JSON.stringify(what), cause) };
}

/** How a function sets messages of its queue aside, as the environment says. */
export function openPoison(
  { DEAD_LETTER_QUEUE_URL: queueUrl, MAX_RECEIVES: maxReceives }: z.output<typeof poisonEnv>,
  { client }: { readonly client: SQSClient },
) {
  return { maxReceives, setAside: createDeadLetters({ client, queueUrl }).putBody };
}
