import { ACCOUNT_ROUTES } from "./account-routes.ts";
import { CALLBACK_ROUTES } from "./callback-routes.ts";
import { CONTENT_ROUTES } from "./content-routes.ts";
import { ENDPOINT_ROUTES } from "./endpoint-routes.ts";
import { NUMBER_ROUTES } from "./number-routes.ts";
import type { Route } from "./route.ts";
import { SUB_ACCOUNT_ROUTES } from "./sub-account-routes.ts";
import { USER_ROUTES } from "./user-routes.ts";

/** Everything that administrators can do: what the handler serves, and what the OpenAPI document describes. */
export const ROUTES: readonly Route[] = [
  ...ACCOUNT_ROUTES,
  ...SUB_ACCOUNT_ROUTES,
  ...USER_ROUTES,
  ...CONTENT_ROUTES,
  ...ENDPOINT_ROUTES,
  ...CALLBACK_ROUTES,
  ...NUMBER_ROUTES,
];
