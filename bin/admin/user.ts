import { type Command, Option } from "commander";
import { getAccount } from "../../functions/core/accounts.ts";
import { USER_ROLES, type User } from "../../functions/core/user.ts";
import {
  changeUser,
  createUser,
  getUser,
  type NewToken,
  removeUser,
  rotateToken,
  type UserChanges,
} from "../../functions/core/users.ts";
import { type OfAccount, onAccount, overlap, someChangesIn, textOrNone } from "./options.ts";
import { describeItem, describeSecrets, linesOf, reportWhole } from "./output.ts";
import type { Report, Session } from "./session.ts";

interface OfUser extends OfAccount {
  readonly username: string;
}

const onUser = (command: Command) =>
  onAccount(command).requiredOption("--username <name>", "the user's name");

/** Adds `user`. */
export function addUserCommands({ program, connect, report }: Session): void {
  const user = program
    .command("user")
    .description("users of the Wavy API and of the admin API, and their authentication tokens");

  onUser(user.command("create"))
    .description("create a user and print its authentication token, once")
    .addOption(
      new Option("--role <role>", "what it may do").choices(USER_ROLES).makeOptionMandatory(),
    )
    .option("--sub-account <reference>", "that of a regular user")
    .option("--email <address>", "can be given in place of the user name")
    .option(
      "--time-zone <zone>",
      "the zone of its dates (default: that of its country, else the account's)",
    )
    .option("--country <code>", "gives the zone of its dates where it has none")
    .action(
      report(async (options: Parameters<typeof createUser>[1]) =>
        reportToken(await createUser(await connect(), options)),
      ),
    );

  onAccount(user.command("list"))
    .description("list the account's users")
    .action(
      report(async ({ account }: OfAccount) => {
        const { directory, users } = await connect();
        await getAccount(directory, account);
        const found = await users.listUsers(account);
        return {
          lines: linesOf(found, userLine, "The account has no users."),
          json: { users: found.map(describeUser) },
        };
      }),
    );

  onUser(user.command("show"))
    .description("show a user")
    .action(
      report(async ({ account, username }: OfUser) =>
        reportWhole(describeUser(await getUser(await connect(), account, username))),
      ),
    );

  onUser(user.command("set"))
    .description("change a user; takes effect within a minute")
    .addOption(
      new Option("--role <role>", "an administrator leaves its sub-account").choices(USER_ROLES),
    )
    .option("--sub-account <reference>", "that of a regular user")
    .addOption(textOrNone("--email <address|none>", "can be given in place of the user name"))
    .addOption(textOrNone("--time-zone <zone|none>", "the zone of its dates"))
    .addOption(textOrNone("--country <code|none>", "gives the zone of its dates"))
    .action(
      report(async ({ account, username, ...options }: OfUser & UserChanges) => {
        const changes = someChangesIn(options);
        const changed = await changeUser(await connect(), account, username, changes);
        return reportWhole(describeUser(changed));
      }),
    );

  for (const [name, state, description] of [
    ["disable", "disabled", "let a user in no longer; takes effect within a minute"],
    ["enable", "active", "let a disabled user in again"],
  ] as const) {
    onUser(user.command(name))
      .description(description)
      .action(
        report(async ({ account, username }: OfUser) => {
          const changed = await changeUser(await connect(), account, username, { state });
          return { lines: [userLine(changed)], json: describeUser(changed) };
        }),
      );
  }

  onUser(user.command("rotate-token"))
    .description("give a user a new authentication token and print it, once")
    .addOption(overlap("token"))
    .action(
      report(async (options: OfUser & { overlapMinutes: number }) => {
        const { account, username, overlapMinutes } = options;
        return reportToken(await rotateToken(await connect(), account, username, overlapMinutes));
      }),
    );

  onUser(user.command("remove"))
    .description("remove a user; takes effect within a minute")
    .action(
      report(async ({ account, username }: OfUser) => {
        await removeUser(await connect(), account, username);
        return { lines: ["removed"], json: { removed: username } };
      }),
    );
}

const reportToken = ({ user, token }: NewToken): Report => ({
  lines: [
    `username             ${user.username}`,
    `authenticationtoken  ${token}`,
    "The token is shown this once; only its hash is stored.",
  ],
  json: { ...describeUser(user), authenticationToken: token },
});

const describeUser = ({ tokens, ...user }: User) => ({
  ...describeItem(user),
  tokens: describeSecrets(tokens),
});

const userLine = ({ username, role, subAccount, state, email }: User) =>
  [username, role, ...(subAccount ? [subAccount] : []), state, ...(email ? [email] : [])].join(
    "  ",
  );
