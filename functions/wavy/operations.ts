import { type Refusal, readTimes, type SendRequest } from "../core/accept-message.ts";
import type { Caller } from "../core/authenticate.ts";
import type { Contents, SubAccounts } from "../core/customer-ports.ts";
import { findMessage } from "../core/find-message.ts";
import type { Message } from "../core/message.ts";
import { fillIn } from "../core/placeholders.ts";
import type { BatchStore, MessageStore, MoStore } from "../core/ports.ts";
import {
  type Resolved,
  resolveCampaign,
  resolveContent,
  resolveSubAccount,
  zoneOf,
} from "../core/resolve-request.ts";
import { type SendBatchDependencies, sendBatch } from "../core/send-batch.ts";
import { type SendDependencies, sendMessage } from "../core/send-message.ts";
import type { SubAccount } from "../core/sub-account.ts";
import { fitting } from "../runtime/http.ts";
import { accepted, moOf, mosAnswer, statusesAnswer, statusOf } from "./answers.ts";
import {
  type MessageStatus,
  type ReadMessage,
  readBulk,
  readPeriod,
  readSearch,
  readSingle,
  readStatusQuery,
  readSubAccount,
  type Settings,
} from "./schema.ts";

/** What the operations need. */
export type OperationDependencies = SendDependencies &
  SendBatchDependencies & {
    readonly contents: Pick<
      Contents,
      "findTemplate" | "listTemplates" | "findFlow" | "findCampaign"
    >;
    readonly subAccounts: Pick<SubAccounts, "findSubAccount">;
    readonly mos: Pick<MoStore, "takeNew" | "search">;
    readonly messages: SendDependencies["messages"] &
      Pick<MessageStore, "findMany" | "findCorrelated" | "takeChanged">;
    readonly batches: SendBatchDependencies["batches"] & Pick<BatchStore, "findOpen">;
    readonly batchQueue: SendBatchDependencies["batchQueue"];
  };

/** What an operation is asked: `input` is a body, or what a query says. */
export interface Call {
  readonly caller: Caller;
  readonly input: unknown;
  readonly query: Readonly<Record<string, string | undefined>>;
}

/** What an operation answers, or why it cannot. */
export type Answer =
  | {
      readonly ok: true;
      readonly body: unknown;
      readonly log?: Readonly<Record<string, unknown>>;
    }
  | {
      readonly ok: false;
      readonly error: "INVALID_REQUEST" | "FORBIDDEN" | "NOT_FOUND";
      readonly problem: string;
    };

export type Run = (deps: OperationDependencies, call: Call) => Promise<Answer>;

const DAY_MS = 24 * 60 * 60 * 1_000;
/** How far back the list of MOs goes, and how many it hands over (document, "API de MO"). */
const LISTED_MS = 3 * DAY_MS;
const MAX_LISTED = 1_000;
/** What one search finds, where that is not more than what Lambda can answer. */
const MAX_FOUND = 10_000;

const refusedBy = (resolved: { readonly problem: string; readonly forbidden?: true }) => ({
  ok: false as const,
  error: resolved.forbidden ? ("FORBIDDEN" as const) : ("INVALID_REQUEST" as const),
  problem: resolved.problem,
});

const invalid = (problem: string) => refusedBy({ problem });

const PROBLEM_OF_REFUSAL: Partial<Record<Refusal, string>> = {
  "schedule-in-past": "The scheduling date is in the past.",
  "schedule-too-far": "The scheduling date is more than a year ahead.",
  expired: "The expiry is in the past.",
  "expires-before-due": "The message would expire before it may be sent.",
};

const problemOf = (refusal: Refusal) =>
  PROBLEM_OF_REFUSAL[refusal] ?? "The message was not accepted.";

const contextOf = ({ clock }: OperationDependencies, { account, user }: Caller) => ({
  now: clock.now(),
  zone: zoneOf(user, account),
});

/** What the messages of a request have in common, found in the account. */
type Common = Pick<
  SendRequest,
  "scheduledAt" | "expiresAt" | "window" | "subAccount" | "campaign" | "sender"
> & { readonly content: string | undefined };

async function resolveSettings(
  deps: OperationDependencies,
  caller: Caller,
  settings: Settings,
): Promise<{ readonly ok: true; readonly common: Common } | (Answer & { ok: false })> {
  const { scheduledAt, expiresAt, window } = settings;
  const times = readTimes(settings, deps.clock.now());
  if (typeof times === "string") return invalid(problemOf(times));
  const [subAccount, campaign, content] = await Promise.all([
    resolveSubAccount(deps, caller, settings.subAccount),
    resolveCampaign(deps, caller.account, settings.campaignAlias),
    resolveContent(deps, caller, settings),
  ]);
  for (const resolved of [subAccount, campaign, content]) {
    if (!resolved.ok) return refusedBy(resolved);
  }
  const { username, email } = caller.user;
  const found = <T>(resolved: Resolved<T>) => (resolved.ok ? resolved.value : undefined);
  const known = found(campaign);
  return {
    ok: true,
    common: {
      scheduledAt,
      expiresAt,
      window,
      subAccount: found(subAccount),
      campaign: known && { id: known.campaignId, alias: known.alias },
      sender: { username, ...(email !== undefined && { email }) },
      content: found(content),
    },
  };
}

/** What one message of a request asks the core for. */
function sendRequestOf(message: ReadMessage, { content, ...common }: Common): SendRequest {
  const base = {
    ...common,
    dialect: "wavy",
    segmentation: "gsm",
    storesRefused: true,
    destination: message.destination,
    correlationId: message.correlationId,
    extraInfo: message.extraInfo,
  } as const;
  if (!message.ok) return { ...base, text: "", flash: false, unreadable: true };
  if (content === undefined) {
    return { ...base, text: message.messageText ?? "", flash: message.flash };
  }
  const { text, matches } = fillIn(content, message.params ?? {});
  return { ...base, text, flash: message.flash, ...(!matches && { invalidParams: true }) };
}

/** `send-sms` (document, "Envio de mensagens"). */
export async function sendSms(deps: OperationDependencies, call: Call): Promise<Answer> {
  const read = readSingle(call.input, contextOf(deps, call.caller));
  if (!read.ok) return invalid(read.problem);
  const settled = await resolveSettings(deps, call.caller, read.settings);
  if (!settled.ok) return settled;
  const request = sendRequestOf(read.message, settled.common);
  const result = await sendMessage(deps, call.caller.account, request);
  if (!result.accepted) return invalid(problemOf(result.refusal));
  const { message } = result;
  return {
    ok: true,
    body: [accepted(message)],
    log: { traceId: message.traceId, state: message.state, reason: message.reason },
  };
}

/** `send-bulk-sms` (document, "Envio em lote"). */
export async function sendBulkSms(given: OperationDependencies, call: Call): Promise<Answer> {
  // What all have in common is judged at one time: an expiry must not pass in between.
  const now = given.clock.now();
  const deps = { ...given, clock: { now: () => now } };
  const read = readBulk(call.input, contextOf(deps, call.caller));
  if (!read.ok) return invalid(read.problem);
  const settled = await resolveSettings(deps, call.caller, read.settings);
  if (!settled.ok) return settled;
  const requests = read.messages.map((message) => sendRequestOf(message, settled.common));
  const { batchId, results } = await sendBatch(deps, call.caller.account, requests);
  const messages: Message[] = [];
  for (const result of results) {
    if (!result.accepted) return invalid(problemOf(result.refusal));
    messages.push(result.message);
  }
  return {
    ok: true,
    body: { id: batchId, messages: messages.map(accepted) },
    log: {
      traceId: batchId,
      accepted: messages.length,
      blocked: messages.filter(({ state }) => state === "BLOCKED").length,
    },
  };
}

/** Whether a message is one of those asked for: a sub-account's, or all of the account's (supplement, section 1, "Roles"). */
const isIn = (scope: SubAccount | undefined, { subAccount }: Message) =>
  scope === undefined || subAccount === scope.subAccount;

const statuses = (messages: readonly MessageStatus[]): Answer => ({
  ok: true,
  body: statusesAnswer(messages),
  log: { statuses: messages.length },
});

/** `sms/status/search` (document, "API de consulta"). */
export async function searchStatus(deps: OperationDependencies, call: Call): Promise<Answer> {
  const read = readSearch(call.input);
  if (!read.ok) return invalid(read.problem);
  const scope = await scopeOf(deps, call);
  if (!scope.ok) return refusedBy(scope);
  const { ids, correlationIds } = read;
  const { account } = call.caller.account;
  // In this order: a batch that is closed in between has made its messages items before.
  const open = await deps.batches.findOpen(account, ids, correlationIds);
  const [stored, correlated] = await Promise.all([
    deps.messages.findMany(account, ids),
    deps.messages.findCorrelated(account, correlationIds),
  ]);
  const found = new Map(
    [...open.map(({ message }) => message), ...correlated, ...stored].map((message) => [
      message.traceId,
      message,
    ]),
  );
  const seen = [...found.values()].filter((message) => isIn(scope.value, message));
  const messages = fitting(seen.slice(0, MAX_FOUND), statusOf);
  return statuses(messages);
}

/** `sms/status/list` (document, "API de consulta"). */
export async function listStatus(deps: OperationDependencies, call: Call): Promise<Answer> {
  const scope = await scopeOf(deps, call);
  if (!scope.ok) return refusedBy(scope);
  const { account } = call.caller.account;
  const changed = await deps.messages.takeChanged(account, MAX_LISTED, scope.value?.subAccount);
  const messages = changed.map(statusOf);
  return statuses(messages);
}

/** `sms-status` (supplement, section 1). */
export async function getStatus(deps: OperationDependencies, call: Call): Promise<Answer> {
  const read = readStatusQuery(call.query);
  if (!read.ok) return invalid(read.problem);
  const scope = await scopeOf(deps, call);
  if (!scope.ok) return refusedBy(scope);
  const { account } = call.caller.account;
  const found = await Promise.all(read.ids.map((id) => findMessage(deps, account, id)));
  const message = found.find((one) => one !== undefined);
  if (!message || !isIn(scope.value, message)) {
    return { ok: false, error: "NOT_FOUND", problem: "There is no such message." };
  }
  return { ok: true, body: statusOf(message), log: { traceId: message.traceId } };
}

async function scopeOf(deps: OperationDependencies, { caller, query }: Call) {
  const read = readSubAccount(query);
  return read.ok ? resolveSubAccount(deps, caller, read.subAccount) : read;
}

/** `sms/receive/list` (document, "API de MO"). */
export async function listReceived(deps: OperationDependencies, call: Call): Promise<Answer> {
  const scope = await scopeOf(deps, call);
  if (!scope.ok) return refusedBy(scope);
  const now = deps.clock.now();
  const period = { from: now - LISTED_MS, to: now };
  const mos = await deps.mos.takeNew(call.caller.account.account, MAX_LISTED, {
    subAccount: scope.value?.subAccount,
    since: period.from,
  });
  return { ok: true, body: mosAnswer(period, mos.map(moOf)), log: { mos: mos.length } };
}

/** `sms/receive/search` (document, "API de MO"). */
export async function searchReceived(deps: OperationDependencies, call: Call): Promise<Answer> {
  const period = readPeriod(call.query, contextOf(deps, call.caller));
  if (!period.ok) return invalid(period.problem);
  const scope = await scopeOf(deps, call);
  if (!scope.ok) return refusedBy(scope);
  const { account } = call.caller.account;
  const found = await deps.mos.search(account, period, MAX_FOUND, scope.value?.subAccount);
  const mos = fitting(found, moOf);
  return { ok: true, body: mosAnswer(period, mos), log: { mos: mos.length } };
}
