import { setTimeout as pause } from "node:timers/promises";
import type { Carrier, OutboundMessage, Receipt, SendOutcome } from "../../../core/carrier.ts";
import type { Clock } from "../../../core/ports.ts";
import {
  type CarrierEventsQueue,
  createCarrierEventsQueue,
} from "../../sqs/carrier-events-queue.ts";
import type { CreateCarrier } from "../kind.ts";
import {
  SANDBOX_SHORT_CODE,
  type SandboxBehaviour,
  sandboxBehaviour,
  sandboxOperator,
} from "./numbers.ts";
import { createSandboxOutbox, type SandboxOutbox } from "./outbox.ts";
import type { provisions, settings } from "./settings.ts";

/** How long the answer to a hand-over takes whose receipt is to overtake it. */
const HEAD_START_OF_RECEIPT_MS = 2_000;

/** What the sandbox carrier needs. */
export interface SandboxDependencies {
  /** What the stage calls it. */
  readonly name: string;
  /** Whether it is unreachable, for everybody. */
  readonly down: boolean;
  readonly outbox: Pick<SandboxOutbox, "countAttempt" | "add">;
  readonly carrierEvents: Pick<CarrierEventsQueue, "enqueue">;
  readonly clock: Clock;
  /** Resolves after so many milliseconds. */
  readonly pause: (ms: number) => Promise<void>;
}

/**
 * A carrier without phones, for staging and local runs: the last four digits of a number decide
 * what becomes of a message to it. Receipts come the way those of real carriers do, through the
 * carrier-events queue.
 */
export function createSandboxCarrier(deps: SandboxDependencies): Carrier {
  const { name, outbox, carrierEvents, clock } = deps;

  async function sendReceipts(message: OutboundMessage, behaviour: SandboxBehaviour) {
    const delaySeconds = behaviour.receiptDelaySeconds ?? 0;
    const at = clock.now() + delaySeconds * 1_000;
    const receipt = receiptFor(name, message, behaviour, at);
    for (let sent = 0; sent < (behaviour.receipts ?? 1); sent++) {
      await carrierEvents.enqueue(receipt, delaySeconds);
    }
  }

  /** A message whose receipt could not be sent off has not been taken. */
  async function receiptsFirst(
    message: OutboundMessage,
    behaviour: SandboxBehaviour,
    outcome: SendOutcome,
  ): Promise<SendOutcome> {
    if (outcome.kind !== "accepted" || behaviour.breaks) return outcome;
    try {
      await sendReceipts(message, behaviour);
      return outcome;
    } catch (error) {
      return { kind: "unreachable", detail: `the receipt was not queued: ${String(error)}` };
    }
  }

  return {
    name,
    takes: "parts",
    async send(message) {
      if (deps.down) return { kind: "unreachable", detail: "this sandbox is down" };
      const behaviour = sandboxBehaviour(message.destination, message.part?.order);
      let attempt: number;
      try {
        attempt = await outbox.countAttempt(nameOf(message));
      } catch (error) {
        // Nothing of the message has been taken yet.
        return { kind: "unreachable", detail: `the outbox did not answer: ${String(error)}` };
      }
      const outcome = await receiptsFirst(
        message,
        behaviour,
        answerTo(message, behaviour, attempt),
      );
      await outbox.add({
        destination: message.destination,
        receivedAt: clock.now(),
        account: message.ref.account,
        messageId: message.ref.id,
        text: message.text,
        carrier: name,
        ...(message.sender !== undefined && { sender: message.sender }),
        flash: message.flash,
        ...(message.part && { part: message.part }),
        attempt,
        outcome: behaviour.breaks ? "broken" : outcome.kind,
      });
      if (behaviour.breaks) throw new Error("the sandbox's number breaks the connection");
      if (outcome.kind === "accepted" && behaviour.receiptFirst) {
        await deps.pause(HEAD_START_OF_RECEIPT_MS);
      }
      return outcome;
    },
  };
}

/** What phones answer to. */
const shortCodeOf = ({ sender }: OutboundMessage) => sender ?? SANDBOX_SHORT_CODE;

/** What tells one SMS from all others. */
const nameOf = ({ ref, part }: OutboundMessage) =>
  part ? `${ref.traceId}-${part.order}` : ref.traceId;

function answerTo(
  message: OutboundMessage,
  behaviour: SandboxBehaviour,
  attempt: number,
): SendOutcome {
  const operator = sandboxOperator(message.destination);
  if (attempt <= (behaviour.unreachable ?? 0)) {
    return {
      kind: "unreachable",
      detail: `the sandbox's number is unreachable at attempt ${attempt}`,
    };
  }
  if (behaviour.rejected) return { kind: "rejected", reason: behaviour.rejected, operator };
  if (behaviour.blocked) return { kind: "blocked", reason: behaviour.blocked };
  return {
    kind: "accepted",
    carrierMessageId: `sandbox-${nameOf(message)}-${attempt}`,
    operator,
    shortCode: shortCodeOf(message),
    receipts: behaviour.receipts !== 0,
  };
}

function receiptFor(
  carrier: string,
  message: OutboundMessage,
  { notDelivered }: SandboxBehaviour,
  at: number,
): Receipt {
  const { ref, destination, part } = message;
  const receipt = {
    type: "receipt",
    ref,
    ...(part && { part: part.order }),
    carrier,
    at,
    operator: sandboxOperator(destination),
    shortCode: shortCodeOf(message),
  } as const;
  return notDelivered
    ? { ...receipt, outcome: "not-delivered", reason: notDelivered }
    : { ...receipt, outcome: "delivered" };
}

/** A sandbox, as a stage says it is. */
export const createFromStage: CreateCarrier<typeof settings, typeof provisions> = (
  { down, outboxTable, carrierEventsQueueUrl },
  { name, dynamodb, sqs, clock },
) =>
  createSandboxCarrier({
    name,
    down,
    outbox: createSandboxOutbox({ client: dynamodb, tableName: outboxTable, clock }),
    carrierEvents: createCarrierEventsQueue({ client: sqs, queueUrl: carrierEventsQueueUrl }),
    clock,
    pause,
  });
