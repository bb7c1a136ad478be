import { Option } from "commander";
import type { Account } from "../../functions/core/account.ts";
import {
  type AccountSettingsChange,
  changeAccountSettings,
  createAccount,
  getAccount,
  setAccountState,
} from "../../functions/core/accounts.ts";
import { DIALECTS } from "../../functions/core/message.ts";
import type { Route, WrittenRoute } from "../../functions/core/routing.ts";
import { SEGMENTATIONS } from "../../functions/core/segments.ts";
import { describeEndpoints } from "./endpoint.ts";
import {
  commaList,
  listFile,
  listOr,
  numberOr,
  type OfAccount,
  onAccount,
  onOrOff,
  someChangesIn,
  textOrNone,
} from "./options.ts";
import { describeItem, describeSecrets, linesOf, reportWhole } from "./output.ts";
import type { Report, Session } from "./session.ts";
import { knownCarriers } from "./stage-carriers.ts";

/** Adds `account`. */
export function addAccountCommands({ program, connect, report }: Session): void {
  const account = program.command("account").description("accounts of customers");

  onAccount(account.command("create"))
    .description("create an account and print its password, once")
    .option("--country <code>", "its country: fills in for missing country codes of numbers", "BR")
    .option("--time-zone <zone>", "the zone of its dates (default: that of the country's capital)")
    .option("--email <address>", "where its owner is told when an endpoint is disabled")
    .action(
      report(
        async (options: OfAccount & { country: string; timeZone?: string; email?: string }) => {
          const created = await createAccount(await connect(), options);
          return { lines: passwordLines(created), json: created };
        },
      ),
    );

  onAccount(account.command("show"))
    .description("show an account and its endpoints")
    .action(
      report(async (options: OfAccount) => {
        const access = await connect();
        const found = await getAccount(access.directory, options.account);
        const endpoints = await describeEndpoints(access, options.account);
        return reportAccount(found, { endpoints });
      }),
    );

  account
    .command("list")
    .description("list all accounts")
    .action(
      report(async () => {
        const accounts = await (await connect()).directory.listAccounts();
        return {
          lines: linesOf(accounts, accountLine, "There are no accounts yet."),
          json: { accounts: accounts.map(describeAccount) },
        };
      }),
    );

  onAccount(account.command("set"))
    .description("switch settings of an account; takes effect within a minute")
    .addOption(
      textOrNone("--email <address|none>", "where its owner is told when an endpoint is disabled"),
    )
    .addOption(onOrOff("--long-messages <on|off>", "send texts of more than one part"))
    .addOption(
      new Option("--segmentation <rule>", "how texts are cut into parts").choices(SEGMENTATIONS),
    )
    .addOption(onOrOff("--transliterate <on|off>", "plain letters for accents that GSM lacks"))
    .addOption(onOrOff("--operator-of-mo <on|off>", "name the phone's operator with its MOs"))
    .option(
      "--short-codes <list>",
      'whose MOs are this account\'s when they answer no message, separated by commas; "" for none',
      commaList,
    )
    .addOption(new Option("--mo-dialect <dialect>", "in which such MOs are told").choices(DIALECTS))
    .option(
      "--senders <list>",
      'from whom its messages come, the one that is liked best first, separated by commas; "" for none',
      commaList,
    )
    .addOption(
      listOr(
        "stage",
        "--routes <JSON|stage>",
        "its own ways to carriers, as a list in JSON; as the stage has them, or its own",
      ),
    )
    .addOption(listFile("--routes-file <path>", "the same from a file").conflicts("routes"))
    .addOption(
      numberOr(
        "stage",
        "--requests-per-second <number|stage>",
        "from one address to the Wavy API; as the stage has it, or its own",
      ),
    )
    .addOption(
      numberOr(
        "stage",
        "--status-queries-per-second <number|stage>",
        "the same for status queries",
      ),
    )
    .action(
      report(async ({ account, ...options }: OfAccount & SettingsOptions) => {
        const settings = settingsOf(someChangesIn(options));
        const access = await connect();
        if (settings.senders || settings.routes) knownCarriers(access);
        return reportAccount(await changeAccountSettings(access, account, settings));
      }),
    );

  for (const [name, state, description] of [
    ["disable", "disabled", "let an account in no longer; takes effect within a minute"],
    ["enable", "active", "let a disabled account in again"],
  ] as const) {
    onAccount(account.command(name))
      .description(description)
      .action(
        report(async (options: OfAccount) => {
          const changed = await setAccountState(await connect(), options.account, state);
          return { lines: [accountLine(changed)], json: describeAccount(changed) };
        }),
      );
  }
}

/** What shows a new password, this once. */
export const passwordLines = ({ account, password }: { account: string; password: string }) => [
  `account   ${account}`,
  `password  ${password}`,
  "The password is shown this once; only its hash is stored.",
];

type SettingsOptions = Omit<AccountSettingsChange, "rateLimits"> & {
  readonly routesFile?: readonly WrittenRoute[];
  readonly requestsPerSecond?: number | null;
  readonly statusQueriesPerSecond?: number | null;
};

const settingsOf = ({
  requestsPerSecond,
  statusQueriesPerSecond,
  routesFile,
  ...settings
}: SettingsOptions): AccountSettingsChange => ({
  ...settings,
  routes: routesFile ?? settings.routes,
  rateLimits: { requestsPerSecond, statusQueriesPerSecond },
});

const describeAccount = ({ credentials, ...account }: Account) => ({
  ...describeItem(account),
  passwords: describeSecrets(credentials),
});

/** Reports an account whole: people get a line for each of its routes. */
function reportAccount(account: Account, more: object = {}): Report {
  const json = { ...describeAccount(account), ...more };
  const { lines } = reportWhole({
    ...json,
    ...(account.routes && { routes: account.routes.map(routeLine) }),
  });
  return { lines, json };
}

function routeLine({ country, operator, subAccount, lane, share, carrier }: Route): string {
  const conditions = [
    ...(country ? [`to ${country.join(" or ")}`] : []),
    ...(operator ? [`of operator ${operator.join(" or ")}`] : []),
    ...(subAccount ? [`for sub-account ${subAccount.join(" or ")}`] : []),
    ...(lane ? [`in the lane ${lane}`] : []),
    ...(share === undefined ? [] : [`${share} of a hundred`]),
  ];
  return `${conditions.join(", ") || "all"}: ${carrier}`;
}

const accountLine = ({ account, state, country, timeZone }: Account) =>
  `${account}  ${state}  ${country}  ${timeZone}`;
