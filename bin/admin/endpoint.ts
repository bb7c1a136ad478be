import { type Command, InvalidArgumentError, Option } from "commander";
import { describeEndpoint } from "../../functions/admin/schema.ts";
import {
  ENDPOINT_EVENTS,
  ENDPOINT_FORMATS,
  ENDPOINT_METHODS,
  type Endpoint,
  type EndpointEvent,
} from "../../functions/core/account.ts";
import { getAccount } from "../../functions/core/accounts.ts";
import {
  addEndpoint,
  changeEndpoint,
  DEFAULT_EVENTS,
  getEndpoint,
  type NewSigningSecret,
  removeEndpoint,
  rotateEndpointSecret,
  setEndpointState,
} from "../../functions/core/endpoints.ts";
import { CALLBACK_OPTIONS, type CallbackOption } from "../../functions/core/message.ts";
import { printable } from "../printable.ts";
import { commaList, type OfAccount, onAccount, overlap, someChangesIn } from "./options.ts";
import { linesOf, reportWhole } from "./output.ts";
import type { Access, Report, Session } from "./session.ts";

/** The options of a command that is about an endpoint. */
export interface OfEndpoint extends OfAccount {
  readonly endpoint: string;
}

/** A command that is about an endpoint. */
export const onEndpoint = (command: Command) =>
  onAccount(command).requiredOption(
    "--endpoint <id>",
    "the endpoint's id, as `endpoint list` shows it",
  );

/** A day, in minutes. */
const SIGNING_OVERLAP = 1_440;

/** Adds `endpoint`. */
export function addEndpointCommands({ program, connect, report }: Session): void {
  const endpoint = program
    .command("endpoint")
    .description("URLs that are told what becomes of messages, and of MOs");

  onAccount(endpoint.command("add"))
    .description("add a URL, and print the secret that callbacks to it are signed with, once")
    .requiredOption("--url <url>", "where to POST callbacks to")
    .option("--events <list>", "what it is told of, separated by commas", eventList, [
      ...DEFAULT_EVENTS,
    ])
    .addOption(callbackOption().default("ALL"))
    .option("--sub-account <reference>", "tell it only of this sub-account's messages")
    .addOption(method().default("POST"))
    .addOption(format().default("dialect"))
    .addOption(header())
    .action(
      report(async ({ header, ...options }: OfAccount & EndpointOptions & { url: string }) => {
        const access = await connect();
        const request = { ...options, headers: header };
        return reportSecret(access, await addEndpoint(access, request, access.endpointPolicy));
      }),
    );

  onAccount(endpoint.command("list"))
    .description("list the account's endpoints")
    .action(
      report(async ({ account }: OfAccount) => {
        const access = await connect();
        await getAccount(access.directory, account);
        const endpoints = await describeEndpoints(access, account);
        return {
          lines: linesOf(endpoints, endpointLine, "The account has no endpoints."),
          json: { endpoints },
        };
      }),
    );

  onEndpoint(endpoint.command("show"))
    .description("show an endpoint, and how it fares")
    .action(
      report(async (options: OfEndpoint) => {
        const access = await connect();
        const found = await getEndpoint(access, options.account, options.endpoint);
        return reportWhole(await describe(access, found));
      }),
    );

  onEndpoint(endpoint.command("set"))
    .description("change an endpoint")
    .option("--url <url>", "where to POST callbacks to")
    .option("--events <list>", "what it is told of, separated by commas", eventList)
    .addOption(callbackOption())
    .option("--sub-account <reference>", "tell it only of this sub-account's messages")
    .option("--no-sub-account", "tell it of all of the account's messages")
    .addOption(method())
    .addOption(format())
    .addOption(header())
    .option("--remove-header <name>", "send this header no more; may be given again", removedHeader)
    .action(
      report(async ({ account, endpoint, ...options }: OfEndpoint & ChangeOptions) => {
        const { subAccount, header, removeHeader, ...fields } = someChangesIn(options);
        const headers = header || removeHeader ? { ...header, ...removeHeader } : undefined;
        const changes = {
          ...fields,
          headers,
          subAccount: subAccount === false ? null : subAccount,
        };
        const access = await connect();
        const { endpointPolicy } = access;
        return reportEndpoint(
          access,
          await changeEndpoint(access, account, endpoint, changes, endpointPolicy),
        );
      }),
    );

  for (const [name, state, description, more] of [
    ["pause", "paused", "hold what an endpoint is to be told until it is resumed", []],
    ["resume", "active", "tell a paused endpoint again, and what was held", []],
    ["disable", "disabled", "tell an endpoint nothing any more, and nothing that was held", []],
    [
      "enable",
      "active",
      "tell a disabled endpoint again",
      ["`callbacks replay --since` has it told what it missed."],
    ],
  ] as const) {
    onEndpoint(endpoint.command(name))
      .description(description)
      .action(
        report(async (options: OfEndpoint) => {
          const access = await connect();
          const changed = await setEndpointState(access, options.account, options.endpoint, state);
          const { lines, json } = await reportEndpoint(access, changed.endpoint);
          return { lines: [...lines, ...more], json };
        }),
      );
  }

  onEndpoint(endpoint.command("rotate-secret"))
    .description("give an endpoint a new secret that callbacks are signed with, and print it, once")
    .addOption(overlap("secret", SIGNING_OVERLAP))
    .action(
      report(async (options: OfEndpoint & { overlapMinutes: number }) => {
        const { account, endpoint, overlapMinutes } = options;
        const access = await connect();
        return reportSecret(
          access,
          await rotateEndpointSecret(access, account, endpoint, overlapMinutes),
        );
      }),
    );

  onEndpoint(endpoint.command("remove"))
    .description("remove one of the account's endpoints; what waits to be told to it is dropped")
    .action(
      report(async (options: OfEndpoint) => {
        await removeEndpoint(await connect(), options.account, options.endpoint);
        return { lines: ["removed"], json: { removed: options.endpoint } };
      }),
    );
}

interface EndpointOptions {
  readonly events: EndpointEvent[];
  readonly callbackOption: CallbackOption;
  readonly subAccount?: string;
  readonly method: Endpoint["method"];
  readonly format: Endpoint["format"];
  readonly header?: Endpoint["headers"];
}

interface ChangeOptions extends Partial<Omit<EndpointOptions, "subAccount">> {
  readonly url?: string;
  /** False where it is to have none. */
  readonly subAccount?: string | false;
  readonly removeHeader?: Readonly<Record<string, null>>;
}

const callbackOption = () =>
  new Option(
    "--callback-option <option>",
    "which statuses of messages whose request does not say",
  ).choices(CALLBACK_OPTIONS);

const method = () =>
  new Option("--method <method>", "how MOs in Wavy's words are told").choices(ENDPOINT_METHODS);

const format = () =>
  new Option(
    "--format <format>",
    "in whose words: those of the API that a message came through, of one, or CloudEvents",
  ).choices(ENDPOINT_FORMATS);

const header = () =>
  new Option(
    "--header <header>",
    "'Name: value', which comes with each callback; may be given again",
  ).argParser(givenHeader);

function givenHeader(line: string, others: Endpoint["headers"] = {}): Endpoint["headers"] {
  const [, name, value] = /^([^:]+):\s*(.*)$/.exec(line) ?? [];
  if (name && value !== undefined) return { ...others, [name.trim()]: value };
  throw new InvalidArgumentError("It must be a name, a colon and a value.");
}

const removedHeader = (name: string, others: Readonly<Record<string, null>> = {}) => ({
  ...others,
  [name]: null,
});

function eventList(value: string): EndpointEvent[] {
  const events = commaList(value);
  const known = ENDPOINT_EVENTS.filter((event) => events.includes(event));
  if (known.length > 0 && known.length === new Set(events).size) return known;
  throw new InvalidArgumentError(`It must be some of ${ENDPOINT_EVENTS.join(",")}.`);
}

type Described = ReturnType<typeof describeEndpoint>;

async function describe({ endpointHealths, clock }: Access, endpoint: Endpoint) {
  return describeEndpoint(endpoint, await endpointHealths.find(endpoint), clock.now());
}

/** An account's endpoints, and how they fare, without their secrets. */
export async function describeEndpoints(access: Access, account: string): Promise<Described[]> {
  const endpoints = await access.directory.listEndpoints(account);
  return Promise.all(endpoints.map((endpoint) => describe(access, endpoint)));
}

async function reportEndpoint(access: Access, endpoint: Endpoint): Promise<Report> {
  const json = await describe(access, endpoint);
  return { lines: [endpointLine(json)], json };
}

async function reportSecret(
  access: Access,
  { endpoint, secret }: NewSigningSecret,
): Promise<Report> {
  const { lines, json } = await reportEndpoint(access, endpoint);
  return {
    lines: [
      ...lines,
      `secret  ${secret}`,
      "The secret is shown this once. Callbacks are signed with it, as Standard Webhooks has it.",
    ],
    json: { ...json, secret },
  };
}

const endpointLine = (it: Described) =>
  [
    it.endpointId,
    printable(it.url),
    it.events.join(","),
    it.callbackOption,
    ...(it.format === "dialect" ? [] : [`as ${it.format}`]),
    ...(it.method === "POST" ? [] : [`MOs by ${it.method}`]),
    ...(it.subAccount === undefined ? [] : [`of ${it.subAccount}`]),
    ...(it.state === "active" ? [] : [`${it.state} since ${it.stateAt}`]),
    ...(it.disabledReason === undefined ? [] : [it.disabledReason]),
    ...(it.failingSince === undefined ? [] : [`failing since ${it.failingSince}`]),
    ...(it.circuitOpenUntil === undefined ? [] : [`not called until ${it.circuitOpenUntil}`]),
  ].join("  ");
