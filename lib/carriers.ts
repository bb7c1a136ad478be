import { isDeepStrictEqual } from "node:util";
import { Stack, Token, Validations } from "aws-cdk-lib";
import type { Table } from "aws-cdk-lib/aws-dynamodb";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import type { Function as LambdaFunction } from "aws-cdk-lib/aws-lambda";
import { Construct } from "constructs";
import { type CarrierSettings, carriersSchema } from "../functions/adapters/carriers/env.ts";
import { AwsSmsCarrier, type AwsSmsSettings } from "./aws-sms-carrier.ts";
import type { CarrierEvents } from "./carrier-events.ts";
import type { EventBus } from "./event-bus.ts";
import type { RateLimits } from "./rate-limits.ts";
import { SandboxCarrier } from "./sandbox-carrier.ts";
import type { Carrier } from "./shared/carrier.ts";
import type { TakesEnvironment } from "./shared/torpedo-function.ts";
import { TorpedoTable } from "./shared/torpedo-table.ts";
import { type Stage, StageConfigurationError } from "./stage.ts";

/** What the function that applies receipts may be given. */
type CountsReceipts = TakesEnvironment<
  "CARRIERS_TABLE" | "OPERATOR_MEMORY_DAYS" | "RECEIPTS_AFTER_SECONDS" | "SNS_TOPICS"
>;

/** What the functions that hand messages over may be given. */
type HandsOver = TakesEnvironment<
  "CARRIERS" | "ROUTES" | "CARRIERS_TABLE" | "OPERATOR_MEMORY_DAYS"
> &
  TakesEnvironment<"RATE_LIMITS_TABLE"> &
  TakesEnvironment<"EVENT_BUS_NAME">;

/** Of the 4 KB that a function's environment holds, what is left to what it is told of carriers. */
const MAX_BYTES = 2_400;
/** The most that a name has that only a deployment knows, such as a queue's URL. */
const NAME_BYTES = 140;

/** What the carriers need of the rest. */
export interface CarriersProps {
  readonly stage: Stage;
  readonly carrierEvents: CarrierEvents;
  readonly rateLimits: RateLimits;
  readonly bus: EventBus;
}

/** The carriers of a stage: what each needs in AWS, and the table of how they fare. */
export class Carriers extends Construct {
  /** How the carriers fare, and the operators of phones. */
  readonly table: Table;
  /** What of them others need to know, as outputs of the stack. */
  readonly outputs: Readonly<Record<string, string>>;
  readonly #props: CarriersProps;
  readonly #carriers: ReadonlyMap<string, Carrier>;
  /** By carrier, the ARN of the topic that it reports to. */
  readonly #topics: Record<string, string> = {};
  #sandboxes: SandboxCarrier | undefined;

  constructor(scope: Construct, id: string, props: CarriersProps) {
    super(scope, id);
    const { stage } = props;
    this.#props = props;
    this.table = new TorpedoTable(this, "Table", {
      lifetime: "destroy",
      timeToLiveAttribute: "removeAt",
    });
    Validations.of(this.table).acknowledge({
      id: "AwsSolutions-DDB3",
      reason: "How carriers fared a quarter of an hour ago is of no worth; it is counted anew.",
    });
    this.#carriers = new Map(
      Object.entries(stage.carriers).map(([name, settings]) => [
        name,
        this.#create(name, settings),
      ]),
    );
    assertFits(stage, this.#told, stage.routes);
    assertFits(stage, this.#topics, this.#receiptsAfterSeconds);
    this.outputs = {
      CarriersTableName: this.table.tableName,
      CarrierOffers: this.offers,
      ...(this.#sandboxes && { SandboxOutboxTableName: this.#sandboxes.outbox.tableName }),
    };
  }

  /** The carriers by name, and from whom each lets messages come, as JSON. */
  get offers(): string {
    const { carriers } = this.#props.stage;
    return JSON.stringify(
      Object.fromEntries(
        Object.entries(carriers).map(([name, { senders }]) => [name, { senders }]),
      ),
    );
  }

  /** The carriers by name, as functions are told of them. */
  get #told(): Readonly<Record<string, object>> {
    return Object.fromEntries(
      Object.entries(this.#props.stage.carriers).map(([name, settings]) => [
        name,
        { ...withoutDefaults(name, settings), ...this.#carriers.get(name)?.provisions },
      ]),
    );
  }

  get #receiptsAfterSeconds(): Readonly<Record<string, number>> {
    return Object.fromEntries(
      Object.entries(this.#props.stage.carriers).map(([name, { demotion }]) => [
        name,
        demotion.receiptsAfterSeconds,
      ]),
    );
  }

  #create(name: string, settings: CarrierSettings): Carrier {
    const { stage, carrierEvents } = this.#props;
    switch (settings.kind) {
      case "sandbox":
        this.#sandboxes ??= new SandboxCarrier(this, "Sandbox", { carrierEvents });
        return this.#sandboxes;
      case "aws-sms": {
        const carrier = new AwsSmsCarrier(this, `AwsSms-${name}`, {
          stage,
          name,
          settings: settings as CarrierSettings & AwsSmsSettings,
          reports: carrierEvents.worker,
        });
        this.#topics[name] = carrier.topic.topicArn;
        return carrier;
      }
      default:
        return { provisions: {}, grantSend: (fn) => grantSecret(fn, settings) };
    }
  }

  /** Lets a function hand messages over, and know and say how carriers fare. */
  grantSend(fn: HandsOver): void {
    const { stage, rateLimits, bus } = this.#props;
    for (const carrier of this.#carriers.values()) carrier.grantSend(fn);
    fn.provide({
      ...this.#grantKnow(fn, "dynamodb:Query", "dynamodb:UpdateItem", "dynamodb:PutItem"),
      CARRIERS: Stack.of(this).toJsonString(this.#told),
      ROUTES: JSON.stringify(stage.routes),
    });
    this.#grantOnPhones(fn, "dynamodb:GetItem");
    rateLimits.grantCountCarriers(fn);
    bus.grantPublish(fn, "Carrier Demoted", "Carrier Restored");
  }

  /** Lets a function know carriers by their topics, count receipts, and remember the operators that they name. */
  grantCountReceipts(fn: CountsReceipts): void {
    fn.provide({
      ...this.#grantKnow(fn, "dynamodb:UpdateItem"),
      SNS_TOPICS: Stack.of(this).toJsonString(this.#topics),
      RECEIPTS_AFTER_SECONDS: JSON.stringify(this.#receiptsAfterSeconds),
    });
    this.#grantOnPhones(fn, "dynamodb:PutItem");
  }

  /** Of what is remembered of phones, and of nothing else in the table; where anything is. */
  #grantOnPhones(fn: LambdaFunction, action: string): void {
    if (this.#props.stage.operatorMemoryDays === 0) return;
    fn.addToRolePolicy(
      new PolicyStatement({
        actions: [action],
        resources: [this.table.tableArn],
        conditions: { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": ["PHONE#*"] } },
      }),
    );
  }

  #grantKnow(fn: LambdaFunction, ...actions: string[]) {
    fn.addToRolePolicy(new PolicyStatement({ actions, resources: [this.table.tableArn] }));
    return {
      CARRIERS_TABLE: this.table.tableName,
      OPERATOR_MEMORY_DAYS: String(this.#props.stage.operatorMemoryDays),
    };
  }
}

/** Lets a function read the secret of a carrier that has one. */
function grantSecret(fn: LambdaFunction, { secret }: CarrierSettings): void {
  if (secret === undefined) return;
  fn.addToRolePolicy(
    new PolicyStatement({ actions: ["secretsmanager:GetSecretValue"], resources: [secret] }),
  );
}

/** The settings that functions would not assume by themselves: their environment has little room. */
function withoutDefaults(name: string, settings: CarrierSettings): object {
  const isDefault = (setting: string) => {
    const others = Object.entries(settings).filter(([other]) => other !== setting);
    const read = carriersSchema.safeParse({ [name]: Object.fromEntries(others) });
    return isDeepStrictEqual(read.data?.[name], settings);
  };
  return Object.fromEntries(Object.entries(settings).filter(([setting]) => !isDefault(setting)));
}

/**
 * Lambda measures the environment as JSON, so the quotes of JSON within it count twice.
 * @throws StageConfigurationError where a function's environment would not hold it
 */
function assertFits(stage: Stage, ...told: readonly object[]): void {
  const written = told.map((value) => JSON.stringify(value, inFull));
  const bytes = written.reduce((sum, text) => sum + Buffer.byteLength(JSON.stringify(text)), 0);
  if (bytes <= MAX_BYTES) return;
  throw new StageConfigurationError(
    `stages.${stage.name}: carriers and routes take ${bytes} bytes of a function's environment, which has room for ${MAX_BYTES}`,
  );
}

/** Something as long as a name that is not known yet, where one stands. */
const inFull = (_: string, value: unknown) =>
  Token.isUnresolved(value) ? "x".repeat(NAME_BYTES) : value;
