import { createCarrierHealths } from "../../functions/adapters/dynamodb/carrier-healths.ts";
import { createDocumentClient } from "../../functions/adapters/dynamodb/client.ts";
import { InvalidRequestError } from "../../functions/core/accounts.ts";
import type { CarrierOffers } from "../../functions/core/carrier-offers.ts";
import type { CarrierHealths } from "../../functions/core/carrier-pool.ts";
import type { AwsTarget } from "../aws-target.ts";

/** The carriers of a stage, as far as its stack says anything of them. */
export interface StageCarriers {
  readonly offers?: CarrierOffers | undefined;
  readonly carrierHealths?: Pick<CarrierHealths, "load"> | undefined;
}

/** Opens the carriers of a deployed stack. */
export function openStageCarriers(
  outputs: {
    readonly CarrierOffers?: CarrierOffers | undefined;
    readonly CarriersTableName?: string | undefined;
  },
  clientConfig: AwsTarget["clientConfig"],
): StageCarriers {
  const { CarrierOffers: offers, CarriersTableName: tableName } = outputs;
  return {
    offers,
    ...(tableName !== undefined && {
      carrierHealths: createCarrierHealths({
        client: createDocumentClient(clientConfig),
        tableName,
      }),
    }),
  };
}

/**
 * The carriers of a stage.
 * @throws InvalidRequestError where its stack is from before it said anything of them
 */
export function knownCarriers(access: StageCarriers & { readonly target: { stage: string } }) {
  const { offers, carrierHealths } = access;
  if (offers && carrierHealths) return { offers, carrierHealths };
  throw new InvalidRequestError(
    `the stack of stage "${access.target.stage}" does not say which carriers it has: deploy it anew`,
  );
}
