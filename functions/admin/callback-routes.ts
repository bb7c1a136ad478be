import {
  findCallback,
  listCallbacks,
  replayAllFailed,
  replayCallback,
} from "../core/callback-records.ts";
import {
  type AdministrationDependencies,
  changing,
  defineRoute,
  existing,
  type Route,
} from "./route.ts";
import {
  callbackAnswer,
  callbackListAnswer,
  callbackQuery,
  callbackReplay,
  callbackReplayAnswer,
  describeCallback,
  describeCallbackPage,
} from "./schema.ts";

const about = (
  { deliveries }: AdministrationDependencies,
  account: string,
  callbackId: string,
) => ({
  what: "callback",
  find: () => findCallback(deliveries, account, callbackId),
});

/** What endpoints were told, and are told again. */
export const CALLBACK_ROUTES: readonly Route[] = [
  defineRoute({
    method: "GET",
    path: "/callbacks",
    name: "listCallbacks",
    summary: "Lists callbacks, newest first",
    status: 200,
    query: callbackQuery,
    answer: callbackListAnswer,
    run: async (deps, { account, query: { endpoint, before, ...query } }) => {
      if (endpoint !== undefined) {
        await existing(deps.directory.findEndpoint(account, endpoint), "endpoint");
      }
      const upToNow = before ?? deps.clock.now() + 1;
      return describeCallbackPage(
        await listCallbacks(deps, { account, endpointId: endpoint, before: upToNow, ...query }),
      );
    },
  }),
  defineRoute({
    method: "GET",
    path: "/callbacks/{callbackId}",
    name: "getCallback",
    summary: "Shows a callback with all its attempts",
    status: 200,
    answer: callbackAnswer,
    run: async (deps, { account, params: { callbackId } }) => {
      const { find, what } = about(deps, account, callbackId);
      return describeCallback(await existing(find(), what));
    },
  }),
  defineRoute({
    method: "POST",
    path: "/callbacks/{callbackId}/replay",
    name: "replayCallback",
    summary: "Has a callback told again, or tried now that would be tried later",
    status: 202,
    answer: callbackAnswer,
    run: async (deps, { account, params: { callbackId } }) =>
      describeCallback(
        await changing(about(deps, account, callbackId), () =>
          replayCallback(deps, account, callbackId),
        ),
      ),
  }),
  defineRoute({
    method: "POST",
    path: "/callbacks/replay",
    name: "replayCallbacks",
    summary: "Has everything told again that has failed, but of endpoints that are disabled",
    status: 202,
    body: callbackReplay,
    bodyOptional: true,
    answer: callbackReplayAnswer,
    run: async (deps, { account, body: { since } }) => {
      const told = await replayAllFailed(deps, account, since);
      return { endpointIds: told.map(({ endpointId }) => endpointId) };
    },
  }),
];
