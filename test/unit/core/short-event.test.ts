import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  messageReceived,
  messageStatusChanged,
  torpedoEventSchema,
} from "../../../functions/core/events.ts";
import { ALL_REASONS, STATES } from "../../../functions/core/lifecycle.ts";
import { CALLBACK_OPTIONS, DIALECTS } from "../../../functions/core/message.ts";
import { fullEvent, shortEvent } from "../../../functions/core/short-event.ts";
import { sampleLongMessage, sampleMessage, sampleMo } from "../../support/samples.ts";

const NOW = Date.parse("2026-03-02T15:00:00Z");
const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 });
const time = fc.integer({ min: 0, max: NOW * 2 });
const campaign = fc.record({ id: fc.integer(), alias: text });
const sender = fc.record({ username: text, email: text }, { requiredKeys: ["username"] });

const messages = fc
  .record(
    {
      account: text,
      id: text,
      traceId: text,
      dialect: fc.constantFrom(...DIALECTS),
      destination: text,
      state: fc.constantFrom(...STATES),
      reason: fc.constantFrom(...ALL_REASONS),
      stateAt: time,
      acceptedAt: time,
      sentAt: time,
      attempts: fc.nat(20),
      carrier: text,
      carriersTried: fc.array(text),
      carrierMessageId: text,
      operator: text,
      shortCode: text,
      callbackOption: fc.constantFrom(...CALLBACK_OPTIONS),
      extraInfo: fc.string(),
      correlationId: fc.string(),
      subAccount: text,
      campaign,
      sender,
      batch: fc.record({ batchId: text, dueTogether: fc.integer({ min: 1 }) }),
      invalidParams: fc.constant(true as const),
    },
    { requiredKeys: ["account", "traceId", "state", "stateAt"] },
  )
  .chain((changes) =>
    fc.boolean().map((isLong) => (isLong ? sampleLongMessage : sampleMessage)(NOW, changes)),
  );
const mos = fc
  .record(
    {
      account: text,
      id: fc.nat(),
      uuid: text,
      text: fc.string(),
      receivedAt: time,
      operator: text,
      dialect: fc.constantFrom(...DIALECTS),
      answers: fc.record(
        { id: text, traceId: text, correlationId: text, sender },
        { requiredKeys: ["id", "traceId"] },
      ),
      subAccount: text,
      campaign,
    },
    { requiredKeys: [] },
  )
  .map((changes) => sampleMo(NOW, changes));

const previously = fc.record({
  state: fc.constantFrom(...STATES),
  reason: fc.option(fc.constantFrom(...ALL_REASONS), { nil: undefined }),
});

describe("a short event", () => {
  it("of a status is the whole of it, where it lies", () => {
    fc.assert(
      fc.property(messages, fc.option(previously), (message, previous) => {
        const event = messageStatusChanged(message, previous ?? undefined);
        const context = { account: message.account, subject: message.traceId };
        const short = shortEvent(event, context);
        expect(fullEvent(short, context)).toEqual(event);
        for (const field of ["version", "eventId", "traceId", "account", "final", "codes"]) {
          expect(short).not.toHaveProperty(field);
        }
      }),
    );
  });

  it("of an MO is the whole of it", () => {
    fc.assert(
      fc.property(mos, (mo) => {
        const event = messageReceived(mo);
        const context = { account: mo.account, subject: `mo-${mo.id}` };
        const short = shortEvent(event, context);
        expect(fullEvent(short, context)).toEqual(event);
        for (const field of ["version", "eventId", "account"]) {
          expect(short).not.toHaveProperty(field);
        }
      }),
    );
  });

  const event = messageStatusChanged(sampleMessage(NOW, { state: "SENT", sentAt: NOW }));
  const context = { account: "acme", subject: "trace-1" };

  it.each([
    ["of another message than what it lies under", { traceId: "other", eventId: "other.SENT.1" }],
    ["of a message of several parts", { parts: 3 }],
    [
      "with times in another spelling",
      { at: "2026-03-02T15:00:00Z", sentAt: "2026-03-02T15:00:00.1Z" },
    ],
    ["that is final by another's rules", { final: true }],
    ["with other codes", { codes: { mesago: { statusCode: "02", detailCode: "111" }, wavy: {} } }],
  ] as const)("%s keeps what it says", (_, change) => {
    const odd = torpedoEventSchema.parse({ ...event, ...change });
    expect(fullEvent(shortEvent(odd, context), context)).toEqual(odd);
    expect(JSON.parse(JSON.stringify(shortEvent(odd, context)))).toEqual(shortEvent(odd, context));
  });

  it("of an ordinary status is less than half as long", () => {
    const { length } = JSON.stringify(shortEvent(event, context));
    expect(length).toBeLessThan(JSON.stringify(event).length / 2);
  });
});
