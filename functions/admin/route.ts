import { InvalidRequestError } from "../core/accounts.ts";
import type { BlockedNumbers } from "../core/blocked-number.ts";
import type { CallbackQueue, Deliveries, EndpointHealths } from "../core/callback-ports.ts";
import type { Contents, SubAccounts, Users } from "../core/customer-ports.ts";
import type { EndpointPolicy } from "../core/endpoints.ts";
import type { UsageCounters } from "../core/limits.ts";
import type { Clock, Directory, Randomness } from "../core/ports.ts";
import { fitting } from "../runtime/http.ts";
import { ApiError } from "./errors.ts";
import {
  describeIssues,
  MAX_LISTED,
  nothing,
  type ObjectSchema,
  PATH_PARAMETERS,
  type Page,
  type PathParameter,
  type PathParameters,
  type Schema,
} from "./schema.ts";

/** What the admin API administers. */
export interface AdministrationDependencies {
  readonly directory: Directory;
  readonly users: Users;
  readonly subAccounts: SubAccounts;
  readonly contents: Contents;
  readonly blockedNumbers: BlockedNumbers;
  readonly usage: UsageCounters;
  readonly endpointHealths: EndpointHealths;
  readonly deliveries: Deliveries;
  readonly callbackQueue: Omit<CallbackQueue, "giveUp">;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly endpointPolicy: EndpointPolicy;
  /** For how long it is known what endpoints were told. */
  readonly callbackRetentionMs: number;
}

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** The parameters that a path names in braces. */
type ParametersOf<Path extends string> =
  Path extends `${string}{${infer Name extends PathParameter}}${infer Rest}`
    ? Name | ParametersOf<Rest>
    : never;

/** What a route is asked, by an administrator of the account. */
interface Call<Path extends string, Body, Query> {
  readonly account: string;
  readonly params: {
    readonly [Name in ParametersOf<Path>]: PathParameters[Name];
  };
  readonly body: Body;
  readonly query: Query;
}

/** What is the same of all routes: what the OpenAPI document says of one. */
interface RouteDescription {
  readonly method: Method;
  /** Under `BASE`, with the parameters in braces. */
  readonly path: string;
  /** Its name in the OpenAPI document. */
  readonly name: string;
  readonly summary: string;
  readonly status: 200 | 201 | 202 | 204;
  readonly body?: Schema;
  /** Whether a request without body is one with an empty object. */
  readonly bodyOptional?: boolean;
  readonly query?: ObjectSchema;
  /** Absent where it answers nothing. */
  readonly answer?: Schema;
  /** Whether the answer says where something is. */
  readonly located: boolean;
}

/** A request as it came in, and by whom. */
export interface RawCall {
  readonly account: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string | undefined>>;
  /** What the body holds; an empty object where there is none. */
  readonly body: unknown;
}

/** What a route answers. */
export interface RouteAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** One thing that can be done. */
export interface Route extends RouteDescription {
  handle(deps: AdministrationDependencies, call: RawCall): Promise<RouteAnswer>;
}

/** What all paths begin with. */
export const BASE = "/admin/v1";

/** Defines a route: `run` gets what its schemas made of the request, and answers what `answer` describes. */
export function defineRoute<Path extends string, Body, Query, Answer>(
  route: Omit<RouteDescription, "body" | "query" | "answer" | "located"> & {
    readonly path: Path;
    readonly body?: Schema<Body>;
    readonly query?: ObjectSchema & Schema<Query>;
    readonly answer?: Schema<unknown, Answer>;
    /** Where what was created is, under `BASE`. */
    readonly location?: (answer: Answer) => readonly (string | number)[];
    readonly run: (
      deps: AdministrationDependencies,
      call: Call<Path, Body, Query>,
    ) => Promise<Answer>;
  },
): Route {
  const { location, run, ...description } = route;
  return {
    ...description,
    located: location !== undefined,
    async handle(deps, { account, params, query, body }) {
      const call = {
        account,
        params: readParameters(params),
        query: read<Query>(description.query ?? nothing, query, "query"),
        body: read<Body>(description.body ?? nothing, body, "body"),
      };
      // What the schemas made of it is what the types say.
      const answer = await run(deps, call as unknown as Call<Path, Body, Query>);
      return {
        status: description.status,
        ...(location && { headers: { location: locationOf(location(answer)) } }),
        body: answer ?? "",
      };
    },
  };
}

const locationOf = (segments: readonly (string | number)[]) =>
  [BASE, ...segments.map(encodeURIComponent)].join("/");

function readParameters(params: RawCall["params"]): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(params).map(([name, written]) => {
      const parsed = PATH_PARAMETERS[name as PathParameter].safeParse(written);
      if (!parsed.success) throw new ApiError("NOT_FOUND", "There is nothing of this name.");
      return [name, parsed.data];
    }),
  );
}

function read<T>(schema: Schema, value: unknown, whole: "query" | "body"): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data as T;
  throw new ApiError("INVALID_REQUEST", describeIssues(parsed.error.issues, whole));
}

/** What was found. @throws ApiError where nothing was */
export async function existing<T>(found: Promise<T | undefined>, what: string): Promise<T> {
  const thing = await found;
  if (thing !== undefined) return thing;
  throw new ApiError("NOT_FOUND", `There is no such ${what}.`);
}

/** Where to look for what a use case is about, and what to call it. */
interface About {
  readonly what: string;
  readonly find: () => Promise<object | undefined>;
}

/** Changes or removes something that must be there, also where somebody else is removing it. */
export async function changing<T>({ what, find }: About, change: () => Promise<T>): Promise<T> {
  await existing(find(), what);
  try {
    return await change();
  } catch (error) {
    if (error instanceof InvalidRequestError) await existing(find(), what);
    throw error;
  }
}

/** A list's items, as far as they were asked for and an answer can hold them. */
export function listed<T, R>(
  things: readonly T[],
  { limit = MAX_LISTED, offset = 0 }: Page,
  describe: (thing: T) => R,
): { total: number; items: R[] } {
  const items = fitting(things.slice(offset, offset + limit), describe);
  return { total: things.length, items };
}
