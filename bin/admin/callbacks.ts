import { type Command, InvalidArgumentError, Option } from "commander";
import {
  describeCallback,
  describeCallbackPage,
  describeCallbackSummary,
} from "../../functions/admin/schema.ts";
import { InvalidRequestError } from "../../functions/core/accounts.ts";
import {
  DELIVERY_STATES,
  type Delivery,
  deliveryIdOf,
  isSettled,
} from "../../functions/core/callback-delivery.ts";
import {
  getCallback,
  listCallbacks,
  replayAllFailed,
  replayCallback,
  replayFailed,
  testEndpoint,
} from "../../functions/core/callback-records.ts";
import { replayDeadLetters } from "../../functions/core/replay-dead-letters.ts";
import { printable } from "../printable.ts";
import { type OfEndpoint, onEndpoint } from "./endpoint.ts";
import { type OfAccount, onAccount, time } from "./options.ts";
import { isoTime, linesOf, reportWhole } from "./output.ts";
import type { Access, Report, Session } from "./session.ts";

interface OfCallback extends OfAccount {
  readonly callback: string;
}

const CALLBACK = [
  "--callback <id>",
  "the callback's id, as `callbacks list` shows it and `webhook-id` has it",
] as const;

/** For how long a test is waited for, and how often it is looked at. */
const TEST_MS = 15_000;
const LOOK_EVERY_MS = 500;

/** The most that one list has. */
const MAX_LISTED = 200;

/** Adds `callbacks`. */
export function addCallbackCommands({ program, connect, report }: Session): void {
  const callbacks = program
    .command("callbacks")
    .description("what endpoints were told, with all attempts; telling it again");

  onAccount(callbacks.command("list"))
    .description("list callbacks, newest first")
    .option("--endpoint <id>", "those to one endpoint")
    .addOption(new Option("--state <state>", "those in one state").choices(DELIVERY_STATES))
    .option("--before <time>", "those that are older", time)
    .option("--limit <number>", `how many, up to ${MAX_LISTED}`, listLimit, 50)
    .action(
      report(async ({ endpoint: endpointId, ...options }: OfAccount & ListOptions) => {
        const access = await connect();
        const before = options.before ?? access.clock.now() + 1;
        const query = { ...options, endpointId, before };
        return reportPage(describeCallbackPage(await listCallbacks(access, query)));
      }),
    );

  onAccount(callbacks.command("show"))
    .description("show a callback: what it tells, and all attempts")
    .requiredOption(...CALLBACK)
    .action(
      report(async ({ account, callback }: OfCallback) =>
        reportWhole(describeCallback(await getCallback(await connect(), account, callback))),
      ),
    );

  withTargets(callbacks.command("replay"))
    .description(
      "have callbacks told again: one, those of an endpoint or an account that failed, or dead letters",
    )
    .action(report(async (options: ReplayOptions) => replay(await connect(), options)));

  onEndpoint(callbacks.command("test"))
    .description("tell an endpoint of something made up, whatever its state, and show its answer")
    .action(
      report(async ({ account, endpoint }: OfEndpoint) => {
        const access = await connect();
        const begun = await testEndpoint(access, account, endpoint);
        return reportTest(await settled(access, begun));
      }),
    );
}

interface ListOptions {
  readonly endpoint?: string;
  readonly state?: Delivery["state"];
  readonly before?: number;
  readonly limit: number;
}

function listLimit(value: string): number {
  if (/^\d{1,3}$/.test(value) && Number(value) >= 1 && Number(value) <= MAX_LISTED) {
    return Number(value);
  }
  throw new InvalidArgumentError(`It must be a whole number from 1 to ${MAX_LISTED}.`);
}

function reportPage(page: ReturnType<typeof describeCallbackPage>): Report {
  const { callbacks, next } = page;
  return {
    lines: [
      ...linesOf(callbacks, callbackLine, next ? "None among these." : "There are no callbacks."),
      ...(next === undefined ? [] : [`Older ones come with --before ${next}`]),
    ],
    json: page,
  };
}

const callbackLine = (it: ReturnType<typeof describeCallbackSummary>) =>
  [
    it.callbackId,
    it.createdAt,
    it.state,
    `${it.attemptCount} ${it.attemptCount === 1 ? "attempt" : "attempts"}`,
    ...(it.cause === undefined ? [] : [printable(it.cause)]),
  ].join("  ");

interface ReplayOptions {
  readonly account?: string;
  readonly callback?: string;
  readonly endpoint?: string;
  readonly since?: number;
  readonly deadLetters?: true;
}

const withTargets = (command: Command) =>
  command
    .option("--account <account>", "the account's name; dead letters may be everybody's")
    .addOption(new Option(...CALLBACK).conflicts(["endpoint", "since", "deadLetters"]))
    .addOption(
      new Option("--endpoint <id>", "what it was to be told and has failed").conflicts(
        "deadLetters",
      ),
    )
    .addOption(
      new Option("--since <time>", "since when it has failed; without --endpoint, of the account")
        .argParser(time)
        .conflicts("deadLetters"),
    )
    .option("--dead-letters", "what was set aside, a part of it at a time");

async function replay(access: Access, options: ReplayOptions): Promise<Report> {
  const { account, callback, endpoint, since, deadLetters } = options;
  if (deadLetters) return reportDeadLetters(await replayDeadLetters(access, account));
  if (account === undefined) throw new InvalidRequestError("whose callbacks? --account says it");
  if (callback !== undefined) return reportOne(await replayCallback(access, account, callback));
  if (endpoint === undefined) return replayAll(access, account, since);
  if (since === undefined) throw new InvalidRequestError("since when? --since says it");
  await replayFailed(access, account, endpoint, since);
  return {
    lines: [`What has failed since ${isoTime(since)} is being told again.`],
    json: { endpointId: endpoint, since: isoTime(since) },
  };
}

async function replayAll(access: Access, account: string, since = 0): Promise<Report> {
  const told = await replayAllFailed(access, account, since);
  const endpointIds = told.map(({ endpointId }) => endpointId);
  return {
    lines: linesOf(
      endpointIds,
      (endpointId) => `${endpointId}  what has failed is being told again`,
      "The account has no endpoint that is not disabled.",
    ),
    json: { endpointIds },
  };
}

function reportOne(delivery: Delivery): Report {
  const json = describeCallbackSummary(delivery);
  return { lines: [callbackLine(json)], json };
}

function reportDeadLetters(json: Awaited<ReturnType<typeof replayDeadLetters>>): Report {
  const { replayed, resent, dropped, left, more } = json;
  return {
    lines: [
      `${replayed} told again, ${resent} events begun anew, ${dropped} with nothing left to do, ${left} left where they are`,
      ...(more ? ["There may be more: run it again."] : []),
    ],
    json,
  };
}

/** A callback as it is once nothing more happens to it, or when nobody waits any longer. */
async function settled(access: Access, begun: Delivery): Promise<Delivery> {
  const end = access.clock.now() + TEST_MS;
  let delivery = begun;
  while (!isSettled(delivery) && access.clock.now() < end) {
    await access.pause(LOOK_EVERY_MS);
    delivery = await getCallback(access, begun.account, deliveryIdOf(begun));
  }
  return delivery;
}

function reportTest(delivery: Delivery): Report {
  const json = describeCallback(delivery);
  return {
    lines: [
      callbackLine(json),
      ...json.attempts.flatMap(({ status, failure = "", durationMs, answer }) => [
        `${status === undefined ? printable(failure) : `HTTP ${status}`} after ${durationMs} ms`,
        ...(answer ? [printable(answer)] : []),
      ]),
      ...(isSettled(delivery) ? [] : ["It is still on its way; `callbacks show` tells."]),
    ],
    json,
  };
}
