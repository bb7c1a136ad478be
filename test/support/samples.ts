import {
  type Account,
  accountSettingsSchema,
  type Endpoint,
} from "../../functions/core/account.ts";
import { type Delivery, deliveryKeySchema } from "../../functions/core/callback-delivery.ts";
import { newDelivery } from "../../functions/core/deliver-callbacks.ts";
import { messageStatusChanged } from "../../functions/core/events.ts";
import type { Message } from "../../functions/core/message.ts";
import type { Mo } from "../../functions/core/mo.ts";
import { hashSecret } from "../../functions/core/passwords.ts";
import { ALWAYS } from "../../functions/core/time.ts";

/** The password of `sampleAccount`. */
export const SAMPLE_PASSWORD = "a-password";

/** An active Brazilian account. */
export function sampleAccount(overrides: Partial<Account> = {}): Account {
  return {
    version: 1,
    account: "acme",
    state: "active",
    country: "BR",
    timeZone: "America/Sao_Paulo",
    ...accountSettingsSchema.parse({}),
    credentials: [{ hash: hashSecret(SAMPLE_PASSWORD), createdAt: 0 }],
    createdAt: 0,
    revision: 0,
    ...overrides,
  };
}

/** A message just accepted at `now`. */
export function sampleMessage(now: number, overrides: Partial<Message> = {}): Message {
  return {
    version: 1,
    account: "acme",
    id: "id-1",
    traceId: "trace-1",
    dialect: "mesago",
    destination: "5519900001111",
    text: "Hello, I am a message",
    flash: false,
    state: "QUEUED",
    stateAt: now,
    acceptedAt: now,
    claimableFrom: now,
    claimableUntil: ALWAYS,
    attempts: 0,
    removeAt: Math.ceil(now / 1_000) + 86_400,
    ...overrides,
  };
}

/** A message of three parts, just accepted at `now`. */
export function sampleLongMessage(now: number, overrides: Partial<Message> = {}): Message {
  const texts = ["first ".repeat(25), "second ".repeat(21), "third"];
  const parts = texts.map(({ length }) => ({ length, state: "QUEUED" as const }));
  return sampleMessage(now, { text: texts.join(""), parts, ...overrides });
}

/** An MO that came in at `now`. */
export function sampleMo(now: number, overrides: Partial<Mo> = {}): Mo {
  return {
    version: 1,
    account: "acme",
    id: 23190501,
    from: "5519900001111",
    shortCode: "27182",
    text: "Sim",
    receivedAt: now,
    operator: "Claro",
    carrier: "sandbox",
    dialect: "mesago",
    answers: { id: "id-1", traceId: "trace-1" },
    removeAt: Math.ceil(now / 1_000) + 86_400,
    ...overrides,
  };
}

/** An endpoint that wants everything. */
export function sampleEndpoint(overrides: Partial<Endpoint> = {}): Endpoint {
  return {
    version: 1,
    account: "acme",
    endpointId: "endpoint-1",
    url: "https://customer.example/callback",
    method: "POST",
    events: ["sent", "delivered", "received"],
    format: "dialect",
    headers: {},
    secrets: [],
    callbackOption: "ALL",
    createdAt: 0,
    revision: 0,
    ...overrides,
  };
}

/** That a message, just sent at `now`, is told to `sampleEndpoint`; before its first turn. */
export function sampleDelivery(now: number, overrides: Partial<Delivery> = {}): Delivery {
  const key = { account: "acme", endpointId: "endpoint-1", subject: "trace-1", level: "sent" };
  const sent = sampleMessage(now, { state: "SENT", sentAt: now });
  return {
    ...newDelivery(deliveryKeySchema.parse(key), messageStatusChanged(sent), {
      now,
      retentionMs: 7 * 86_400_000,
    }),
    ...overrides,
  };
}
