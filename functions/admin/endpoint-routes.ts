import type { Endpoint } from "../core/account.ts";
import { replayFailed, testEndpoint } from "../core/callback-records.ts";
import {
  addEndpoint,
  changeEndpoint,
  type NewSigningSecret,
  removeEndpoint,
  rotateEndpointSecret,
  setEndpointState,
} from "../core/endpoints.ts";
import {
  type AdministrationDependencies,
  changing,
  defineRoute,
  existing,
  listed,
  type Route,
} from "./route.ts";
import {
  callbackAnswer,
  describeCallback,
  describeEndpoint,
  endpointAnswer,
  endpointChange,
  endpointCreation,
  endpointReplay,
  endpointStateChange,
  listOf,
  newEndpointAnswer,
  page,
  signingSecretRotation,
} from "./schema.ts";

const about = ({ directory }: AdministrationDependencies, account: string, endpointId: string) => ({
  what: "endpoint",
  find: () => directory.findEndpoint(account, endpointId),
});

const shown = async ({ endpointHealths, clock }: AdministrationDependencies, endpoint: Endpoint) =>
  describeEndpoint(endpoint, await endpointHealths.find(endpoint), clock.now());

const shownOnce = async (
  deps: AdministrationDependencies,
  { endpoint, secret }: NewSigningSecret,
) => ({ ...(await shown(deps, endpoint)), secret });

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
    run: async (deps, { account, query }) => {
      const all = await deps.directory.listEndpoints(account);
      const described = await Promise.all(all.map((endpoint) => shown(deps, endpoint)));
      const { total, items } = listed(described, query, (endpoint) => endpoint);
      return { total, endpoints: items };
    },
  }),
  defineRoute({
    method: "POST",
    path: "/endpoints",
    name: "addEndpoint",
    summary: "Adds an URL that is told of what becomes of messages, and makes its secret",
    status: 201,
    body: endpointCreation,
    answer: newEndpointAnswer,
    location: ({ endpointId }) => ["endpoints", endpointId],
    run: async (deps, { account, body }) =>
      shownOnce(deps, await addEndpoint(deps, { account, ...body }, deps.endpointPolicy)),
  }),
  defineRoute({
    method: "GET",
    path: "/endpoints/{endpointId}",
    name: "getEndpoint",
    summary: "Shows an endpoint, and how it fares",
    status: 200,
    answer: endpointAnswer,
    run: async (deps, { account, params: { endpointId } }) => {
      const { find, what } = about(deps, account, endpointId);
      return shown(deps, await existing(find(), what));
    },
  }),
  defineRoute({
    method: "PATCH",
    path: "/endpoints/{endpointId}",
    name: "changeEndpoint",
    summary: "Changes an endpoint",
    status: 200,
    body: endpointChange,
    answer: endpointAnswer,
    run: async (deps, { account, params: { endpointId }, body }) => {
      const changed = await changing(about(deps, account, endpointId), () =>
        changeEndpoint(deps, account, endpointId, body, deps.endpointPolicy),
      );
      return shown(deps, changed);
    },
  }),
  defineRoute({
    method: "DELETE",
    path: "/endpoints/{endpointId}",
    name: "removeEndpoint",
    summary: "Removes an endpoint; what still waits to be told to it is dropped",
    status: 204,
    run: (deps, { account, params: { endpointId } }) =>
      changing(about(deps, account, endpointId), () => removeEndpoint(deps, account, endpointId)),
  }),
  defineRoute({
    method: "POST",
    path: "/endpoints/{endpointId}/secret",
    name: "rotateEndpointSecret",
    summary: "Gives an endpoint a new secret that callbacks are signed with",
    status: 200,
    body: signingSecretRotation,
    bodyOptional: true,
    answer: newEndpointAnswer,
    run: async (deps, { account, params: { endpointId }, body: { overlapMinutes } }) => {
      const rotated = await changing(about(deps, account, endpointId), () =>
        rotateEndpointSecret(deps, account, endpointId, overlapMinutes),
      );
      return shownOnce(deps, rotated);
    },
  }),
  defineRoute({
    method: "PUT",
    path: "/endpoints/{endpointId}/state",
    name: "setEndpointState",
    summary: "Pauses, resumes, disables or enables an endpoint",
    status: 200,
    body: endpointStateChange,
    answer: endpointAnswer,
    run: async (deps, { account, params: { endpointId }, body: { state } }) => {
      const { endpoint, health } = await changing(about(deps, account, endpointId), () =>
        setEndpointState(deps, account, endpointId, state),
      );
      return describeEndpoint(endpoint, health, deps.clock.now());
    },
  }),
  defineRoute({
    method: "POST",
    path: "/endpoints/{endpointId}/test",
    name: "testEndpoint",
    summary: "Tells an endpoint of something made up, once, whatever its state",
    status: 202,
    answer: callbackAnswer,
    location: ({ callbackId }) => ["callbacks", callbackId],
    run: async (deps, { account, params: { endpointId } }) =>
      describeCallback(
        await changing(about(deps, account, endpointId), () =>
          testEndpoint(deps, account, endpointId),
        ),
      ),
  }),
  defineRoute({
    method: "POST",
    path: "/endpoints/{endpointId}/replay",
    name: "replayEndpoint",
    summary: "Has everything told again that has failed since a time",
    status: 202,
    body: endpointReplay,
    run: (deps, { account, params: { endpointId }, body: { since } }) =>
      changing(about(deps, account, endpointId), () =>
        replayFailed(deps, account, endpointId, since),
      ),
  }),
];
