import { addEndpoint, removeEndpoint } from "../core/accounts.ts";
import {
  type AdministrationDependencies,
  changing,
  defineRoute,
  existing,
  listed,
  type Route,
} from "./route.ts";
import { describeEndpoint, endpointAnswer, endpointCreation, listOf, page } from "./schema.ts";

const about = ({ directory }: AdministrationDependencies, account: string, endpointId: string) => ({
  what: "endpoint",
  find: async () =>
    (await directory.listEndpoints(account)).find((endpoint) => endpoint.endpointId === endpointId),
});

/** Where the account is called back. */
export const ENDPOINT_ROUTES: readonly Route[] = [
  defineRoute({
    method: "GET",
    path: "/endpoints",
    name: "listEndpoints",
    summary: "Lists the endpoints",
    status: 200,
    query: page,
    answer: listOf("endpoints", endpointAnswer),
    run: async ({ directory }, { account, query }) => {
      const all = await directory.listEndpoints(account);
      const { total, items } = listed(all, query, describeEndpoint);
      return { total, endpoints: items };
    },
  }),
  defineRoute({
    method: "POST",
    path: "/endpoints",
    name: "addEndpoint",
    summary: "Adds an URL that is told of what becomes of messages",
    status: 201,
    body: endpointCreation,
    answer: endpointAnswer,
    location: ({ endpointId }) => ["endpoints", endpointId],
    run: async (deps, { account, body }) =>
      describeEndpoint(await addEndpoint(deps, { account, ...body }, deps.endpointProtocols)),
  }),
  defineRoute({
    method: "GET",
    path: "/endpoints/{endpointId}",
    name: "getEndpoint",
    summary: "Shows an endpoint",
    status: 200,
    answer: endpointAnswer,
    run: async (deps, { account, params: { endpointId } }) => {
      const { find, what } = about(deps, account, endpointId);
      return describeEndpoint(await existing(find(), what));
    },
  }),
  defineRoute({
    method: "DELETE",
    path: "/endpoints/{endpointId}",
    name: "removeEndpoint",
    summary: "Removes an endpoint; what still waits to be told to it is dropped",
    status: 204,
    run: (deps, { account, params: { endpointId } }) =>
      changing(about(deps, account, endpointId), () =>
        removeEndpoint(deps.directory, account, endpointId),
      ),
  }),
];
