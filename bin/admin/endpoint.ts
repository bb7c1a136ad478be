import { InvalidArgumentError, Option } from "commander";
import {
  ENDPOINT_EVENTS,
  ENDPOINT_METHODS,
  type Endpoint,
  type EndpointEvent,
} from "../../functions/core/account.ts";
import { addEndpoint, getAccount, removeEndpoint } from "../../functions/core/accounts.ts";
import { CALLBACK_OPTIONS, type CallbackOption } from "../../functions/core/message.ts";
import { commaList, type OfAccount, onAccount } from "./options.ts";
import { describeItem, linesOf } from "./output.ts";
import type { Session } from "./session.ts";

/** Adds `endpoint`. */
export function addEndpointCommands({ program, connect, report }: Session): void {
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
    .option("--sub-account <reference>", "tell it only of this sub-account's messages")
    .addOption(
      new Option("--method <method>", "how MOs to the Wavy API's clients are told")
        .choices(ENDPOINT_METHODS)
        .default("POST"),
    )
    .action(
      report(async (options: EndpointOptions) => {
        const access = await connect();
        const added = await addEndpoint(access, options, access.outputs.EndpointProtocols);
        return { lines: [endpointLine(added)], json: describeItem(added) };
      }),
    );

  onAccount(endpoint.command("list"))
    .description("list the account's endpoints")
    .action(
      report(async (options: OfAccount) => {
        const { directory } = await connect();
        await getAccount(directory, options.account);
        const endpoints = await directory.listEndpoints(options.account);
        return {
          lines: linesOf(endpoints, endpointLine, "The account has no endpoints."),
          json: { endpoints: endpoints.map(describeItem) },
        };
      }),
    );

  onAccount(endpoint.command("remove"))
    .description("remove one of the account's endpoints")
    .requiredOption("--endpoint <id>", "the endpoint's id, as `endpoint list` shows it")
    .action(
      report(async (options: OfAccount & { endpoint: string }) => {
        const { directory } = await connect();
        await removeEndpoint(directory, options.account, options.endpoint);
        return { lines: ["removed"], json: { removed: options.endpoint } };
      }),
    );
}

interface EndpointOptions extends OfAccount {
  readonly url: string;
  readonly events: EndpointEvent[];
  readonly callbackOption: CallbackOption;
  readonly subAccount?: string;
  readonly method: Endpoint["method"];
}

function eventList(value: string): EndpointEvent[] {
  const events = commaList(value);
  const known = ENDPOINT_EVENTS.filter((event) => events.includes(event));
  if (known.length > 0 && known.length === new Set(events).size) return known;
  throw new InvalidArgumentError(`It must be some of ${ENDPOINT_EVENTS.join(",")}.`);
}

const endpointLine = ({ endpointId, url, events, callbackOption, ...more }: Endpoint) =>
  [
    endpointId,
    url,
    events.join(","),
    callbackOption,
    ...(more.method === "POST" ? [] : [`MOs by ${more.method}`]),
    ...(more.subAccount === undefined ? [] : [`of ${more.subAccount}`]),
  ].join("  ");
