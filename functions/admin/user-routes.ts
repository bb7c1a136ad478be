import { changeUser, createUser, removeUser, rotateToken } from "../core/users.ts";
import {
  type AdministrationDependencies,
  changing,
  defineRoute,
  existing,
  listed,
  type Route,
} from "./route.ts";
import {
  describeUser,
  listOf,
  newTokenAnswer,
  page,
  tokenRotation,
  userAnswer,
  userChange,
  userCreation,
} from "./schema.ts";

const about = ({ users }: AdministrationDependencies, account: string, username: string) => ({
  what: "user",
  find: () => users.findUser(account, username),
});

/** The account stays one that somebody can administer. */
const KEEP = { keepAnAdmin: true };

/** The users and their tokens. */
export const USER_ROUTES: readonly Route[] = [
  defineRoute({
    method: "GET",
    path: "/users",
    name: "listUsers",
    summary: "Lists the users",
    status: 200,
    query: page,
    answer: listOf("users", userAnswer),
    run: async ({ users }, { account, query }) => {
      const { total, items } = listed(await users.listUsers(account), query, describeUser);
      return { total, users: items };
    },
  }),
  defineRoute({
    method: "POST",
    path: "/users",
    name: "createUser",
    summary: "Creates a user and its authentication token",
    status: 201,
    body: userCreation,
    answer: newTokenAnswer,
    location: ({ username }) => ["users", username],
    run: async (deps, { account, body }) => {
      const { user, token } = await createUser(deps, { account, ...body });
      return { ...describeUser(user), authenticationToken: token };
    },
  }),
  defineRoute({
    method: "GET",
    path: "/users/{username}",
    name: "getUser",
    summary: "Shows a user",
    status: 200,
    answer: userAnswer,
    run: async (deps, { account, params: { username } }) => {
      const { find, what } = about(deps, account, username);
      return describeUser(await existing(find(), what));
    },
  }),
  defineRoute({
    method: "PATCH",
    path: "/users/{username}",
    name: "changeUser",
    summary: "Changes a user; takes effect within a minute",
    status: 200,
    body: userChange,
    answer: userAnswer,
    run: async (deps, { account, params: { username }, body }) =>
      describeUser(
        await changing(about(deps, account, username), () =>
          changeUser(deps, account, username, body, KEEP),
        ),
      ),
  }),
  defineRoute({
    method: "DELETE",
    path: "/users/{username}",
    name: "removeUser",
    summary: "Removes a user, unless it is the last active administrator",
    status: 204,
    run: (deps, { account, params: { username } }) =>
      changing(about(deps, account, username), () => removeUser(deps, account, username, KEEP)),
  }),
  defineRoute({
    method: "POST",
    path: "/users/{username}/token",
    name: "rotateToken",
    summary: "Gives a user a new authentication token",
    status: 200,
    body: tokenRotation,
    bodyOptional: true,
    answer: newTokenAnswer,
    run: async (deps, { account, params: { username }, body: { overlapMinutes } }) => {
      const { user, token } = await changing(about(deps, account, username), () =>
        rotateToken(deps, account, username, overlapMinutes),
      );
      return { ...describeUser(user), authenticationToken: token };
    },
  }),
];
