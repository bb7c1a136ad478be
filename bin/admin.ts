import { randomUUID } from "node:crypto";
import { SQSClient } from "@aws-sdk/client-sqs";
import { Command, InvalidArgumentError, Option } from "commander";
import {
  SANDBOX_SHORT_CODE,
  sandboxOperator,
} from "../functions/adapters/carriers/sandbox-numbers.ts";
import { createSandboxOutbox } from "../functions/adapters/carriers/sandbox-outbox.ts";
import { createDocumentClient } from "../functions/adapters/dynamodb/client.ts";
import { createCarrierEventsQueue } from "../functions/adapters/sqs/carrier-events-queue.ts";
import {
  type Account,
  type AccountSettings,
  ENDPOINT_EVENTS,
  type Endpoint,
  type EndpointEvent,
} from "../functions/core/account.ts";
import {
  addEndpoint,
  changeAccountSettings,
  createAccount,
  getAccount,
  InvalidRequestError,
  removeEndpoint,
  rotateCredential,
  setAccountState,
} from "../functions/core/accounts.ts";
import { CALLBACK_OPTIONS, type CallbackOption } from "../functions/core/message.ts";
import { parseMobileNumber } from "../functions/core/numbers.ts";
import { SEGMENTATIONS } from "../functions/core/segments.ts";
import { systemClock } from "../functions/runtime/system.ts";
import { NoTargetError, readStackOutputs, resolveTarget } from "./aws-target.ts";
import { openDirectory } from "./directory-client.ts";
import { printable } from "./printable.ts";

/** What a command answers: for people, and for programs. */
interface Report {
  readonly lines: readonly string[];
  readonly json: object;
}

const program = new Command("npm run admin --")
  .description("Manages a deployed Torpedo: accounts, their passwords and their endpoints")
  .option("--stage <stage>", "the stage to manage (default: TORPEDO_STAGE, else local or dev)")
  .option("--json", "print one JSON object and nothing else on stdout")
  .showHelpAfterError("(--help shows how)")
  .addHelpText(
    "after",
    `
Which AWS or emulator is managed is what the environment points at: AWS_PROFILE or AWS_ACCESS_KEY_ID,
or AWS_ENDPOINT_URL for an emulator. Where it names nothing, it is the one that "npm start" runs.`,
  );

async function connect() {
  const target = resolveTarget(program.opts<{ stage?: string }>().stage);
  const outputs = await readStackOutputs(target);
  return { outputs, target, ...openDirectory(outputs, target.clientConfig) };
}

/** Runs a command and prints what it reports, or in one sentence why it could not be carried out. */
function report<Arguments extends unknown[]>(run: (...args: Arguments) => Promise<Report>) {
  return async (...args: Arguments) => {
    try {
      const { lines, json } = await run(...args);
      const asJson = program.opts<{ json?: boolean }>().json;
      console.log(asJson ? JSON.stringify(json) : lines.join("\n"));
    } catch (error) {
      const known = error instanceof InvalidRequestError || error instanceof NoTargetError;
      console.error(known || !process.env.TORPEDO_DEBUG ? `Error: ${messageOf(error)}` : error);
      process.exitCode = 1;
    }
  };
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

const onAccount = (command: Command) =>
  command.requiredOption("--account <account>", "the account's name");

const isoTime = (at: number) => new Date(at).toISOString();

function describeAccount({ credentials, version: _, revision: __, ...account }: Account) {
  return {
    ...account,
    createdAt: isoTime(account.createdAt),
    passwords: credentials.map(({ createdAt, validUntil }) => ({
      createdAt: isoTime(createdAt),
      ...(validUntil !== undefined && { validUntil: isoTime(validUntil) }),
    })),
  };
}

function describeEndpoint({ version: _, ...endpoint }: Endpoint) {
  return { ...endpoint, createdAt: isoTime(endpoint.createdAt) };
}

const endpointLine = ({ endpointId, url, events, callbackOption }: Endpoint) =>
  `${endpointId}  ${url}  ${events.join(",")}  ${callbackOption}`;

const accountLine = ({ account, state, country, timeZone }: Account) =>
  `${account}  ${state}  ${country}  ${timeZone}`;

const passwordLines = ({ account, password }: { account: string; password: string }) => [
  `account   ${account}`,
  `password  ${password}`,
  "The password is shown this once; only its hash is stored.",
];

const account = program.command("account").description("accounts of customers");

onAccount(account.command("create"))
  .description("create an account and print its password, once")
  .option("--country <code>", "its country: fills in for missing country codes of numbers", "BR")
  .option("--time-zone <zone>", "the zone of its dates (default: that of the country's capital)")
  .action(
    report(async (options: { account: string; country: string; timeZone?: string }) => {
      const created = await createAccount(await connect(), options);
      return { lines: passwordLines(created), json: created };
    }),
  );

onAccount(account.command("show"))
  .description("show an account and its endpoints")
  .action(
    report(async (options: { account: string }) => {
      const { directory } = await connect();
      const found = await getAccount(directory, options.account);
      const endpoints = await directory.listEndpoints(options.account);
      const json = { ...describeAccount(found), endpoints: endpoints.map(describeEndpoint) };
      return { lines: [JSON.stringify(json, undefined, 2)], json };
    }),
  );

account
  .command("list")
  .description("list all accounts")
  .action(
    report(async () => {
      const accounts = await (await connect()).directory.listAccounts();
      const lines =
        accounts.length > 0 ? accounts.map(accountLine) : ["There are no accounts yet."];
      return { lines, json: { accounts: accounts.map(describeAccount) } };
    }),
  );

const onOrOff = (flags: string, description: string) =>
  new Option(flags, description).choices(["on", "off"]).argParser((value) => {
    if (value === "on" || value === "off") return value === "on";
    throw new InvalidArgumentError('It must be "on" or "off".');
  });

onAccount(account.command("set"))
  .description("switch settings of an account; takes effect within a minute")
  .addOption(onOrOff("--long-messages <on|off>", "send texts of more than one part"))
  .addOption(
    new Option("--segmentation <rule>", "how texts are cut into parts").choices(SEGMENTATIONS),
  )
  .addOption(onOrOff("--transliterate <on|off>", "plain letters for accents that GSM lacks"))
  .addOption(onOrOff("--operator-of-mo <on|off>", "name the phone's operator with its MOs"))
  .option(
    "--short-codes <list>",
    'whose MOs are this account\'s when they answer no message, separated by commas; "" for none',
    (list: string) => list.split(",").flatMap((code) => code.trim() || []),
  )
  .action(
    report(async ({ account, ...settings }: { account: string } & Partial<AccountSettings>) => {
      if (Object.keys(settings).length === 0) {
        throw new InvalidRequestError("there is nothing to set: --help lists what there is");
      }
      const changed = describeAccount(
        await changeAccountSettings(await connect(), account, settings),
      );
      return { lines: [JSON.stringify(changed, undefined, 2)], json: changed };
    }),
  );

for (const [name, state, description] of [
  ["disable", "disabled", "let an account in no longer; takes effect within a minute"],
  ["enable", "active", "let a disabled account in again"],
] as const) {
  onAccount(account.command(name))
    .description(description)
    .action(
      report(async (options: { account: string }) => {
        const changed = await setAccountState(await connect(), options.account, state);
        return { lines: [accountLine(changed)], json: describeAccount(changed) };
      }),
    );
}

const credential = program.command("credential").description("passwords of accounts");

onAccount(credential.command("rotate"))
  .description("give an account a new password and print it, once")
  .option(
    "--overlap-minutes <minutes>",
    "for how long the old password stays valid beside the new one",
    wholeNumber,
    0,
  )
  .action(
    report(async (options: { account: string; overlapMinutes: number }) => {
      const rotated = await rotateCredential(
        await connect(),
        options.account,
        options.overlapMinutes,
      );
      return { lines: passwordLines(rotated), json: rotated };
    }),
  );

const endpoint = program.command("endpoint").description("URLs that are told of statuses");

onAccount(endpoint.command("add"))
  .description("add a URL that is told of what becomes of the account's messages")
  .requiredOption("--url <url>", "where to POST callbacks to")
  .option("--events <list>", "what it is told of, separated by commas", eventList, [
    ...ENDPOINT_EVENTS,
  ])
  .addOption(
    new Option("--callback-option <option>", "for messages whose request does not say")
      .choices(CALLBACK_OPTIONS)
      .default("ALL"),
  )
  .action(
    report(
      async (options: {
        account: string;
        url: string;
        events: EndpointEvent[];
        callbackOption: CallbackOption;
      }) => {
        const access = await connect();
        const added = await addEndpoint(access, options, access.outputs.EndpointProtocols);
        return { lines: [endpointLine(added)], json: describeEndpoint(added) };
      },
    ),
  );

onAccount(endpoint.command("list"))
  .description("list the account's endpoints")
  .action(
    report(async (options: { account: string }) => {
      const { directory } = await connect();
      await getAccount(directory, options.account);
      const endpoints = await directory.listEndpoints(options.account);
      return {
        lines:
          endpoints.length > 0 ? endpoints.map(endpointLine) : ["The account has no endpoints."],
        json: { endpoints: endpoints.map(describeEndpoint) },
      };
    }),
  );

onAccount(endpoint.command("remove"))
  .description("remove one of the account's endpoints")
  .requiredOption("--endpoint <id>", "the endpoint's id, as `endpoint list` shows it")
  .action(
    report(async (options: { account: string; endpoint: string }) => {
      const { directory } = await connect();
      await removeEndpoint(directory, options.account, options.endpoint);
      return { lines: ["removed"], json: { removed: options.endpoint } };
    }),
  );

const sandbox = program.command("sandbox").description("the sandbox carrier");

sandbox
  .command("outbox")
  .description("show what the sandbox carrier was handed for a number, oldest first")
  .requiredOption("--to <number>", "the number")
  .action(
    report(async (options: { to: string }) => {
      const destination = mobileNumber(options.to);
      const { target, outboxTableName } = await connectToSandbox();
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
          messages: messages.map((entry) => ({ ...entry, receivedAt: isoTime(entry.receivedAt) })),
        },
      };
    }),
  );

sandbox
  .command("reply")
  .description("have a phone send an SMS to us, as an answer to the last it got or out of the blue")
  .requiredOption("--from <number>", "the phone's number")
  .requiredOption("--text <text>", "what it sends")
  .option("--to <short code>", "the number it sends to", SANDBOX_SHORT_CODE)
  .action(
    report(async (options: { from: string; text: string; to: string }) => {
      const from = mobileNumber(options.from);
      if (!/^\d{1,15}$/.test(options.to)) {
        throw new InvalidRequestError(`"${options.to}" is not a short code`);
      }
      const { outputs, target } = await connectToSandbox();
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

async function connectToSandbox() {
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

function wholeNumber(value: string): number {
  if (/^\d{1,6}$/.test(value)) return Number(value);
  throw new InvalidArgumentError("It must be a whole number from 0 to 999999.");
}

function eventList(value: string): EndpointEvent[] {
  const events = value.split(",").map((event) => event.trim());
  const known = ENDPOINT_EVENTS.filter((event) => events.includes(event));
  if (known.length === new Set(events).size) return known;
  throw new InvalidArgumentError(`It must be some of ${ENDPOINT_EVENTS.join(",")}.`);
}

await program.parseAsync();
