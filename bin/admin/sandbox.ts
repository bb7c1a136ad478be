import { randomUUID } from "node:crypto";
import { SQSClient } from "@aws-sdk/client-sqs";
import {
  SANDBOX_SHORT_CODE,
  sandboxOperator,
} from "../../functions/adapters/carriers/sandbox/numbers.ts";
import { createSandboxOutbox } from "../../functions/adapters/carriers/sandbox/outbox.ts";
import { createDocumentClient } from "../../functions/adapters/dynamodb/client.ts";
import { createCarrierEventsQueue } from "../../functions/adapters/sqs/carrier-events-queue.ts";
import { InvalidRequestError } from "../../functions/core/accounts.ts";
import { parseMobileNumber } from "../../functions/core/numbers.ts";
import { systemClock } from "../../functions/runtime/system.ts";
import { printable } from "../printable.ts";
import { isoTime } from "./output.ts";
import type { Session } from "./session.ts";

/** Adds `sandbox`. */
export function addSandboxCommands({ program, connect, report }: Session): void {
  const sandbox = program.command("sandbox").description("the sandbox carrier");

  sandbox
    .command("outbox")
    .description("show what the sandbox carrier was handed for a number, oldest first")
    .requiredOption("--to <number>", "the number")
    .action(
      report(async (options: { to: string }) => {
        const destination = mobileNumber(options.to);
        const { target, outboxTableName } = await connectToSandbox(connect);
        const messages = await createSandboxOutbox({
          client: createDocumentClient(target.clientConfig),
          tableName: outboxTableName,
          clock: systemClock,
        }).list(destination);
        const lines = messages.map(({ receivedAt, account, messageId, part, ...entry }) =>
          [
            isoTime(receivedAt),
            `${account}/${printable(messageId)}`,
            ...(part ? [`part ${part.order} of ${part.total}`] : []),
            `attempt ${entry.attempt}`,
            entry.outcome,
            printable(entry.text),
          ].join("  "),
        );
        return {
          lines: lines.length > 0 ? lines : ["Nothing was handed over for this number."],
          json: {
            messages: messages.map((entry) => ({
              ...entry,
              receivedAt: isoTime(entry.receivedAt),
            })),
          },
        };
      }),
    );

  sandbox
    .command("reply")
    .description(
      "have a phone send an SMS to us, as an answer to the last it got or out of the blue",
    )
    .requiredOption("--from <number>", "the phone's number")
    .requiredOption("--text <text>", "what it sends")
    .option("--to <short code>", "the number it sends to", SANDBOX_SHORT_CODE)
    .action(
      report(async (options: { from: string; text: string; to: string }) => {
        const from = mobileNumber(options.from);
        if (!/^\d{1,15}$/.test(options.to)) {
          throw new InvalidRequestError(`"${options.to}" is not a short code`);
        }
        const { outputs, target } = await connectToSandbox(connect);
        const at = systemClock.now();
        await createCarrierEventsQueue({
          client: new SQSClient(target.clientConfig),
          queueUrl: outputs.CarrierEventsQueueUrl,
        }).enqueue({
          type: "mo",
          carrier: "sandbox",
          carrierMessageId: randomUUID(),
          from,
          shortCode: options.to,
          text: options.text,
          at,
          operator: sandboxOperator(from),
        });
        return {
          lines: [`${from} has sent an SMS to ${options.to}`],
          json: { from, shortCode: options.to, text: options.text, at: isoTime(at) },
        };
      }),
    );
}

async function connectToSandbox(connect: Session["connect"]) {
  const access = await connect();
  const outboxTableName = access.outputs.SandboxOutboxTableName;
  if (outboxTableName) return { ...access, outboxTableName };
  const { stage } = access.target;
  throw new InvalidRequestError(`stage "${stage}" has another carrier than the sandbox`);
}

function mobileNumber(written: string): string {
  const number = parseMobileNumber(written, "BR");
  if (number) return number;
  throw new InvalidRequestError(`"${written}" is not a mobile number`);
}
