import type { Account, Endpoint } from "../../functions/core/account.ts";
import type { Message } from "../../functions/core/message.ts";
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

/** An endpoint that wants everything. */
export function sampleEndpoint(overrides: Partial<Endpoint> = {}): Endpoint {
  return {
    version: 1,
    account: "acme",
    endpointId: "endpoint-1",
    url: "https://customer.example/callback",
    events: ["sent", "delivered", "received"],
    callbackOption: "ALL",
    createdAt: 0,
    ...overrides,
  };
}
