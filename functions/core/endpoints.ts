import {
  type Endpoint,
  type EndpointEvent,
  endpointSchema,
  type SigningSecret,
} from "./account.ts";
import { assertValid, ConflictError, getAccount, InvalidRequestError } from "./accounts.ts";
import type { CallbackQueue, EndpointHealths } from "./callback-ports.ts";
import { retired } from "./credentials.ts";
import type { SubAccounts } from "./customer-ports.ts";
import {
  type EndpointHealth,
  type EndpointKey,
  type EndpointState,
  inState,
} from "./endpoint-health.ts";
import { applyChanges, type FieldChanges } from "./field-changes.ts";
import type { Clock, Directory, Randomness } from "./ports.ts";
import { isPublicHost } from "./public-address.ts";
import { getSubAccount } from "./sub-accounts.ts";

/** What the stage lets endpoints be. */
export interface EndpointPolicy {
  /** What they may speak: `https`, perhaps `http`. */
  readonly protocols: readonly string[];
  /** Whether they may be on the machine itself, for local runs. */
  readonly allowLoopback: boolean;
}

interface EndpointDependencies {
  readonly directory: Pick<Directory, "findEndpoint" | "updateEndpoint">;
  readonly subAccounts: Pick<SubAccounts, "findSubAccount">;
  readonly clock: Clock;
  readonly randomness: Pick<Randomness, "signingSecret">;
}

/** The one moment at which a secret that callbacks are signed with can be seen. */
export interface NewSigningSecret {
  readonly endpoint: Endpoint;
  readonly secret: string;
}

/** What an endpoint is told of where nobody says. */
export const DEFAULT_EVENTS: readonly EndpointEvent[] = ["sent", "delivered", "received"];

const DEFAULTS = { events: DEFAULT_EVENTS, callbackOption: "ALL" } as const;

/** What can be said of an endpoint, beside its URL. */
type EndpointOptions = Pick<
  Endpoint,
  "events" | "callbackOption" | "subAccount" | "method" | "format" | "headers"
>;

/** An endpoint to be; what is not given is as it is by default. */
export type EndpointRequest = { readonly account: string; readonly url: string } & {
  readonly [Name in keyof EndpointOptions]?: EndpointOptions[Name] | undefined;
};

/**
 * Adds an URL that is told of an account's events, and makes the secret that it is told with.
 *
 * @param request.subAccount whose messages alone it is told of; all of the account's where not given
 * @param request.method how it is told of MOs in Wavy's words; POST where not given
 * @throws InvalidRequestError where there is no such account or sub-account, this is no URL that
 *   the stage allows, there is nothing that it is to be told of, or a header is wrong
 */
export async function addEndpoint(
  deps: EndpointDependencies & {
    readonly directory: Pick<Directory, "findAccount" | "putEndpoint">;
    readonly randomness: Pick<Randomness, "uuid">;
  },
  request: EndpointRequest,
  policy: EndpointPolicy,
): Promise<NewSigningSecret> {
  const { account, subAccount, headers = {} } = request;
  await getAccount(deps.directory, account);
  if (subAccount !== undefined) await getSubAccount(deps, account, subAccount);
  assertAllowedUrl(request.url, policy);
  const secret = deps.randomness.signingSecret();
  const createdAt = deps.clock.now();
  const endpoint = readEndpoint({
    version: 1,
    ...request,
    headers: changedHeaders({}, headers),
    endpointId: deps.randomness.uuid(),
    secrets: [{ secret, createdAt }],
    createdAt,
  });
  await deps.directory.putEndpoint(endpoint);
  return { endpoint, secret };
}

/** What is not there is as it is by default. */
const readEndpoint = (fields: object) =>
  assertValid(endpointSchema, { ...DEFAULTS, ...applyChanges(fields, {}) });

/**
 * Refuses what could never be called. Names are judged by their addresses, whenever they are called.
 * @throws InvalidRequestError
 */
function assertAllowedUrl(url: string, { protocols, allowLoopback }: EndpointPolicy): void {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed || !protocols.includes(parsed.protocol.slice(0, -1))) {
    throw new InvalidRequestError(`"${url}" is not an ${protocols.join(" or ")} URL`);
  }
  if (parsed.username || parsed.password) {
    throw new InvalidRequestError(
      "url: a user name and password cannot be in it; give them as a header, Authorization",
    );
  }
  if (!isPublicHost(parsed.hostname, { allowLoopback })) {
    throw new InvalidRequestError(`url: ${parsed.hostname} is no public address`);
  }
}

/** Headers by their names, which are the same in any case of letters; null removes one. */
function changedHeaders(
  found: Endpoint["headers"],
  changes: Readonly<Record<string, string | null>> | null,
): Partial<Endpoint["headers"]> {
  if (changes === null) return {};
  const lowered = Object.entries(changes).map(([name, value]) => [name.toLowerCase(), value]);
  return applyChanges<Record<string, string>>(found, Object.fromEntries(lowered));
}

/**
 * The endpoint of this id.
 * @throws InvalidRequestError where the account has none
 */
export async function getEndpoint(
  { directory }: { readonly directory: Pick<Directory, "findEndpoint"> },
  account: string,
  endpointId: string,
): Promise<Endpoint> {
  const found = await directory.findEndpoint(account, endpointId);
  if (found) return found;
  throw noEndpointError(account, endpointId);
}

const noEndpointError = (account: string, endpointId: string) =>
  new InvalidRequestError(`account "${account}" has no endpoint ${endpointId}`);

/** What is to be changed of an endpoint; null brings a default back. */
export type EndpointChanges = FieldChanges<Omit<EndpointOptions, "headers">> & {
  readonly url?: string | undefined;
  /** Header by header; null removes one, or all. */
  readonly headers?: Readonly<Record<string, string | null>> | null | undefined;
};

/**
 * Changes an endpoint, field by field. What is on its way to it comes as it is then.
 * @throws InvalidRequestError where what is asked for would not be an endpoint that can be added,
 *   where there is no such endpoint, or where somebody else is changing it
 */
export async function changeEndpoint(
  deps: Pick<EndpointDependencies, "directory" | "subAccounts">,
  account: string,
  endpointId: string,
  changes: EndpointChanges,
  policy: EndpointPolicy,
): Promise<Endpoint> {
  const { headers, ...fields } = changes;
  if (changes.url !== undefined) assertAllowedUrl(changes.url, policy);
  if (changes.subAccount != null) await getSubAccount(deps, account, changes.subAccount);
  return change(deps, account, endpointId, (found) => ({
    ...applyChanges<object>(found, fields),
    ...(headers !== undefined && { headers: changedHeaders(found.headers, headers) }),
  }));
}

async function change(
  deps: Pick<EndpointDependencies, "directory">,
  account: string,
  endpointId: string,
  apply: (found: Endpoint) => object,
): Promise<Endpoint> {
  const found = await getEndpoint(deps, account, endpointId);
  const changed = readEndpoint({ ...apply(found), revision: found.revision + 1 });
  if (await deps.directory.updateEndpoint(found, changed)) return changed;
  throw beingChangedError(endpointId);
}

const beingChangedError = (endpointId: string) =>
  new ConflictError(`endpoint ${endpointId} is being changed by somebody else; try again`);

/** Callbacks are signed with each of them. */
const MAX_SECRETS = 3;

/**
 * Gives an endpoint a new secret that callbacks are signed with. The old ones sign beside it for
 * `overlapMinutes`, as far as they would have anyway; with 0 they end at once.
 * @throws InvalidRequestError where there is no such endpoint, or somebody else is changing it
 */
export async function rotateEndpointSecret(
  deps: Pick<EndpointDependencies, "directory" | "clock" | "randomness">,
  account: string,
  endpointId: string,
  overlapMinutes: number,
): Promise<NewSigningSecret> {
  const secret = deps.randomness.signingSecret();
  const now = deps.clock.now();
  const made: SigningSecret = { secret, createdAt: now };
  const endpoint = await change(deps, account, endpointId, (found) => ({
    ...found,
    secrets: [made, ...retired(found.secrets, now, overlapMinutes)].slice(0, MAX_SECRETS),
  }));
  return { endpoint, secret };
}

const RACES_LOST_BEFORE_GIVING_UP = 5;
/** What is held is let go on once everybody knows the new state, and again once nobody acts by the old one. */
const RELEASE_AFTER_SECONDS = 5;
const SECOND_RELEASE_AFTER_SECONDS = 90;
/** What was held so shortly before may not have been seen to be when the first release looked. */
const SEEN_LATE_MS = 60_000;

/**
 * Has an endpoint called, no longer called for a time (what comes meanwhile is held until it is
 * active again), or not called at all: what was held then fails. What it failed at is forgotten.
 *
 * @throws InvalidRequestError where there is no such endpoint, it is to be paused and is disabled,
 *   or its health changes all the time
 */
export async function setEndpointState(
  deps: {
    readonly directory: Pick<Directory, "findEndpoint">;
    readonly endpointHealths: Pick<EndpointHealths, "find" | "update">;
    readonly callbackQueue: Pick<CallbackQueue, "enqueueRelease">;
    readonly clock: Clock;
  },
  account: string,
  endpointId: string,
  state: EndpointState,
): Promise<{ endpoint: Endpoint; health: EndpointHealth }> {
  const endpoint = await getEndpoint(deps, account, endpointId);
  // Before it has its state: what is released too early is held again, and released once more.
  if (state !== "paused") await releaseHeld(deps, endpoint);
  for (let lost = 0; lost < RACES_LOST_BEFORE_GIVING_UP; lost++) {
    const found = await deps.endpointHealths.find(endpoint);
    if (state === "paused" && found.state === "disabled") {
      throw new ConflictError(
        `endpoint ${endpointId} is disabled, and is told nothing as it is; enable it first`,
      );
    }
    if (state !== "active" && found.state === state) return { endpoint, health: found };
    const health = inState(found, state, deps.clock.now());
    if (await deps.endpointHealths.update(found, health)) return { endpoint, health };
  }
  throw beingChangedError(endpointId);
}

/** Lets what is held go on: first all of it, then what was only seen to be held after that. */
async function releaseHeld(
  {
    callbackQueue,
    clock,
  }: { readonly callbackQueue: Pick<CallbackQueue, "enqueueRelease">; readonly clock: Clock },
  { account, endpointId }: EndpointKey,
): Promise<void> {
  const now = clock.now();
  const release = (since: number, seconds: number) =>
    callbackQueue.enqueueRelease(
      { kind: "release", account, endpointId, state: "held", since, until: now + seconds * 1_000 },
      seconds,
    );
  await release(0, RELEASE_AFTER_SECONDS);
  await release(now - SEEN_LATE_MS, SECOND_RELEASE_AFTER_SECONDS);
}

/**
 * Removes an endpoint. Deliveries still waiting for it are dropped.
 * @throws InvalidRequestError where there is no such endpoint
 */
export async function removeEndpoint(
  deps: {
    readonly directory: Pick<Directory, "removeEndpoint">;
    readonly endpointHealths: Pick<EndpointHealths, "remove">;
  },
  account: string,
  endpointId: string,
): Promise<void> {
  if (!(await deps.directory.removeEndpoint(account, endpointId))) {
    throw noEndpointError(account, endpointId);
  }
  await deps.endpointHealths.remove({ account, endpointId });
}
