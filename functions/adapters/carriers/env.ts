import * as z from "zod";
import { carrierNameSchema } from "../../core/carrier.ts";
import { demotionPolicySchema } from "../../core/carrier-health.ts";
import { routesSchema } from "../../core/routing.ts";
import { senderIdentitySchema } from "../../core/sender-identity.ts";
import { jsonVariable } from "../variables.ts";
import { CARRIER_KINDS } from "./registry.ts";

export { routesSchema };

type Kinds = typeof CARRIER_KINDS;
/** The name of a kind of carrier. */
export type KindName = keyof Kinds & string;
const KIND_NAMES = Object.keys(CARRIER_KINDS) as [KindName, ...KindName[]];

/** What a stage may say of a carrier, whatever its kind. */
const commonSettings = {
  /** SMS per second, over all functions and both lanes; no limit where absent. */
  maxPerSecond: z.number().int().positive().max(10_000).optional(),
  /** From whom it lets messages come, the default first; anybody, and its own default, where absent. */
  senders: z.array(senderIdentitySchema).min(1).max(50).optional(),
  demotion: demotionPolicySchema.prefault({}),
};

const settingsOfKind = (kind: KindName) =>
  z.strictObject({
    kind: z.literal(kind),
    ...commonSettings,
    ...CARRIER_KINDS[kind].settings.shape,
  });

/** A carrier as a stage describes it. */
export interface CarrierSettings extends z.output<z.ZodObject<typeof commonSettings>> {
  readonly kind: KindName;
  /** The ARN of a secret that it may read, where its kind has one. */
  readonly secret?: string;
}

/** The carriers of a stage, by name. */
export const carriersSchema = z
  .record(
    carrierNameSchema,
    z.discriminatedUnion(
      "kind",
      KIND_NAMES.map(settingsOfKind) as [ReturnType<typeof settingsOfKind>],
    ),
  )
  .refine((carriers) => Object.keys(carriers).length > 0, "a stage has at least one carrier")
  .transform((carriers) => carriers as Readonly<Record<string, CarrierSettings>>);

/** A carrier as a function is told of it: its settings, and what the stack made for it. */
const toldCarrier = z.looseObject({ kind: z.enum(KIND_NAMES), ...commonSettings });
export type ToldCarrier = z.output<typeof toldCarrier>;

/** What a function needs to know to hand messages to carriers. */
export const carriersEnv = z.object({
  CARRIERS: jsonVariable.pipe(z.record(carrierNameSchema, toldCarrier)),
  ROUTES: jsonVariable.pipe(routesSchema),
});
