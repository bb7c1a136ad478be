import type { SQSClient } from "@aws-sdk/client-sqs";
import type { DynamoDBDocumentClient } from "@aws-sdk/lib-dynamodb";
import * as z from "zod";
import type { Carrier, ReportProtocol } from "../../core/carrier.ts";
import type { Clock } from "../../core/ports.ts";

/** The values of a secret, by name. */
export type SecretValues = Readonly<Record<string, string>>;

/** A secret, as it is now. */
export interface Secret {
  /** Read once, and remembered. */
  read(): Promise<SecretValues>;
  /** Read anew, because what is remembered was refused. */
  reread(): Promise<SecretValues>;
}

/** What carriers are made from, beside their settings. */
export interface CarrierResources {
  /** What the stage calls the carrier. */
  readonly name: string;
  readonly dynamodb: DynamoDBDocumentClient;
  readonly sqs: SQSClient;
  readonly clock: Clock;
  /** Opens a secret of Secrets Manager. */
  readonly openSecret: (arn: string) => Secret;
}

/** Makes a carrier of one kind from what the stage and the stack say of it. */
export type CreateCarrier<Settings extends z.ZodObject, Provisions extends z.ZodObject> = (
  settings: z.output<Settings> & z.output<Provisions>,
  resources: CarrierResources,
) => Carrier;

/**
 * A kind of carrier. A stage may have several of one kind, by different names. The code is loaded
 * where it is used, and schemas are asked for by getters, which make them then: a function that
 * hands nothing to a kind does not pay for it.
 */
export interface CarrierKind<
  S extends z.ZodObject = z.ZodObject,
  P extends z.ZodObject = z.ZodObject,
> {
  /** What a stage says of a carrier of this kind. A setting `secret` is the ARN of a secret that it may read. */
  readonly settings: S;
  /** What the stack adds to that: the names of what it made for the carrier. */
  readonly provisions: P;
  /** See `Carrier`. */
  readonly takes: Carrier["takes"];
  load(): Promise<CreateCarrier<S, P>>;
  /** How it reports by HTTP, where it does. */
  readonly loadReports?: () => Promise<ReportProtocol>;
}

/** A kind, with its settings' and provisions' types checked against its code. */
export const carrierKind = <S extends z.ZodObject, P extends z.ZodObject>(
  kind: CarrierKind<S, P>,
): CarrierKind<S, P> => kind;

/** The ARN of a secret of Secrets Manager; its value is a JSON object of texts. */
export const secretArnSchema = z
  .string()
  .regex(
    /^arn:[\w-]+:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@-]+-[A-Za-z0-9]{6}$/,
    "expected the ARN of a secret of Secrets Manager, with the six characters at its end",
  );
