import { Aws, RemovalPolicy, Stack, Validations } from "aws-cdk-lib";
import { PolicyDocument, PolicyStatement, Role, ServicePrincipal } from "aws-cdk-lib/aws-iam";
import type { Function as LambdaFunction } from "aws-cdk-lib/aws-lambda";
import { LogGroup, type RetentionDays } from "aws-cdk-lib/aws-logs";
import { CfnConfigurationSet } from "aws-cdk-lib/aws-smsvoice";
import { type ITopic, Topic, TopicPolicy } from "aws-cdk-lib/aws-sns";
import { SqsSubscription } from "aws-cdk-lib/aws-sns-subscriptions";
import {
  AwsCustomResource,
  AwsCustomResourcePolicy,
  type AwsSdkCall,
  Logging,
  PhysicalResourceId,
} from "aws-cdk-lib/custom-resources";
import { Construct } from "constructs";
import type { Carrier } from "./shared/carrier.ts";
import type { QueueWorker } from "./shared/queue-worker.ts";
import { type Stage, StageConfigurationError } from "./stage.ts";

const SERVICE = "sms-voice";
/** From whom messages can come. */
const IDENTITIES = ["phone-number", "pool", "sender-id"];

/** What a stage says of it, as far as the stack is concerned (functions/adapters/carriers/aws-sms/settings.ts). */
export interface AwsSmsSettings {
  readonly originationIdentity?: string | undefined;
  readonly elsewhere?:
    | { readonly region: string; readonly configurationSet: string; readonly topicArn: string }
    | undefined;
  readonly protectConfiguration?: string | undefined;
  readonly twoWay: readonly string[];
  /** From whom the carrier lets messages come, where the stage limits that. */
  readonly senders?: readonly string[] | undefined;
}

/** What the carrier needs of the rest. */
export interface AwsSmsCarrierProps {
  readonly stage: Pick<Stage, "name" | "logRetentionDays">;
  /** What the stage calls it. */
  readonly name: string;
  readonly settings: AwsSmsSettings;
  /** Where what carriers report is applied. */
  readonly reports: Pick<QueueWorker, "queue" | "deadLetterQueue">;
}

/**
 * AWS End User Messaging SMS: a configuration set whose events go to a topic, which feeds the queue
 * of what carriers report, and so does what phones send to the numbers that are two-way.
 *
 * The topic is not encrypted with a key of its own, since it keeps nothing that was delivered, and
 * the queue behind it is encrypted.
 */
export class AwsSmsCarrier extends Construct implements Carrier {
  readonly provisions: { readonly configurationSet: string };
  /** Where it reports. Its ARN tells reports of this carrier from those of others. */
  readonly topic: ITopic;
  readonly #name: string;
  readonly #settings: AwsSmsSettings;
  readonly #stage: AwsSmsCarrierProps["stage"];

  /** @throws StageConfigurationError where it would share with another carrier what is one carrier's own */
  constructor(
    scope: Construct,
    id: string,
    { stage, name, settings, reports }: AwsSmsCarrierProps,
  ) {
    super(scope, id);
    this.#name = name;
    this.#settings = settings;
    this.#stage = stage;
    const { elsewhere, twoWay } = settings;
    this.provisions = {
      // Carriers' names may have dots, of which AWS knows nothing.
      configurationSet:
        elsewhere?.configurationSet ?? `torpedo-${stage.name}-${name.replaceAll(".", "-")}`,
    };
    this.#assertOwn(scope);
    this.topic = elsewhere
      ? Topic.fromTopicArn(this, "Topic", elsewhere.topicArn)
      : this.#createTopic();
    // In its envelope: that says which topic it is from, and when it was published.
    this.topic.addSubscription(
      new SqsSubscription(reports.queue, {
        rawMessageDelivery: false,
        // A subscription's dead letters stay in its region.
        ...(!elsewhere && { deadLetterQueue: reports.deadLetterQueue }),
      }),
    );
    for (const identity of twoWay) this.#receiveFrom(identity);
  }

  /** Lets a function hand messages to AWS, from whom the stage says. */
  grantSend(fn: LambdaFunction): void {
    const resources = this.#resources();
    fn.addToRolePolicy(new PolicyStatement({ actions: [`${SERVICE}:SendTextMessage`], resources }));
    if (!fn.role) return;
    for (const resource of resources.filter((arn) => arn.endsWith("*"))) {
      Validations.of(fn.role).acknowledge({
        id: `AwsSolutions-IAM5[Resource::${inFindings(resource)}]`,
        reason:
          "Numbers are no part of their ARN; a name has an ARN for each country; and where the stage does not limit senders, any of its AWS account may be one.",
      });
    }
  }

  /** What no two carriers may have; the last to be deployed would take it from the other. */
  get #own(): string[] {
    const { elsewhere, twoWay } = this.#settings;
    const set = `the configuration set ${this.provisions.configurationSet}`;
    return [
      ...(elsewhere ? [`${set} of ${elsewhere.region}`, elsewhere.topicArn] : [set]),
      ...twoWay.map(idOf),
    ];
  }

  #assertOwn({ node }: Construct): void {
    const owners = new Map<string, string>();
    for (const carrier of node.children.filter((it) => it instanceof AwsSmsCarrier)) {
      for (const thing of carrier.#own) {
        const owner = owners.get(thing);
        if (owner !== undefined) {
          throw new StageConfigurationError(
            `stages.${this.#stage.name}: carriers.${carrier.#name} has ${thing}, which carriers.${owner} has already`,
          );
        }
        owners.set(thing, carrier.#name);
      }
    }
  }

  #createTopic(): Topic {
    const { configurationSet } = this.provisions;
    const topic = new Topic(this, "Topic", { enforceSSL: true });
    const publish = (conditions: Readonly<Record<string, object>>) =>
      new PolicyStatement({
        actions: ["sns:Publish"],
        principals: [new ServicePrincipal(`${SERVICE}.amazonaws.com`)],
        resources: [topic.topicArn],
        conditions,
      });
    const ofOurs = { StringEquals: { "aws:SourceAccount": Aws.ACCOUNT_ID } };
    const set = this.#arnOf("configuration-set", configurationSet);
    topic.addToResourcePolicy(publish({ ...ofOurs, ArnLike: { "aws:SourceArn": set } }));
    // What AWS says that these come from is not documented; so it is the account that counts.
    if (this.#settings.twoWay.length > 0) topic.addToResourcePolicy(publish(ofOurs));
    new CfnConfigurationSet(this, "ConfigurationSet", {
      // By a name that is known beforehand: the topic's policy names the set, which needs the policy.
      configurationSetName: configurationSet,
      eventDestinations: [
        {
          eventDestinationName: "torpedo",
          enabled: true,
          matchingEventTypes: ["TEXT_ALL"],
          snsDestination: { topicArn: topic.topicArn },
        },
      ],
    }).node.addDependency(...policyOf(topic));
    return topic;
  }

  /**
   * What phones send to a number, or to those of a pool, is published to the topic. The resource
   * goes by the number alone, whose ever it is and however it is written: another one in its place
   * would be created first, and then the old one's deletion would turn two-way off.
   */
  #receiveFrom(identity: string): void {
    const id = idOf(identity);
    const calls = CustomCalls.of(this, this.#stage);
    const isPool = id.startsWith("pool-");
    const parameter = isPool ? "PoolId" : "PhoneNumberId";
    const { elsewhere } = this.#settings;
    const call = (settings: object): AwsSdkCall => ({
      service: "@aws-sdk/client-pinpoint-sms-voice-v2",
      action: isPool ? "UpdatePool" : "UpdatePhoneNumber",
      parameters: { [parameter]: identity, ...settings },
      physicalResourceId: PhysicalResourceId.of(id),
      // The answer says more of a number than a custom resource can.
      outputPaths: [parameter],
      logging: Logging.withDataHidden(),
      ...(elsewhere && { region: elsewhere.region }),
    });
    const enable = call({ TwoWayEnabled: true, TwoWayChannelArn: this.topic.topicArn });
    const resource = new AwsCustomResource(calls, `TwoWay-${id}`, {
      resourceType: "Custom::TwoWaySms",
      onCreate: enable,
      onUpdate: enable,
      // A number that was given back needs no more.
      onDelete: {
        ...call({ TwoWayEnabled: false }),
        ignoreErrorCodesMatching: "ResourceNotFoundException",
      },
      policy: AwsCustomResourcePolicy.fromStatements([
        new PolicyStatement({
          actions: [`${SERVICE}:${isPool ? "UpdatePool" : "UpdatePhoneNumber"}`],
          resources: [
            identity.startsWith("arn:")
              ? identity
              : this.#arnOf(isPool ? "pool" : "phone-number", identity),
          ],
        }),
      ]),
      // What comes with Lambda does.
      installLatestAwsSdk: false,
      role: calls.role,
      logGroup: calls.logGroup,
    });
    // Also because AWS looks whether it may publish there.
    resource.node.addDependency(...policyOf(this.topic));
  }

  /** What messages are sent from, and with. */
  #resources(): string[] {
    const { originationIdentity, senders, protectConfiguration } = this.#settings;
    return [
      this.#arnOf("configuration-set", this.provisions.configurationSet),
      ...(protectConfiguration ? [this.#arnOf("protect-configuration", protectConfiguration)] : []),
      ...new Set([
        ...(originationIdentity ? [this.#arnOfIdentity(originationIdentity)] : []),
        ...(senders
          ? senders.map((sender) => this.#arnOfIdentity(sender))
          : IDENTITIES.map((kind) => this.#arnOf(kind, "*"))),
      ]),
    ];
  }

  #arnOfIdentity(identity: string): string {
    if (identity.startsWith("pool-")) return this.#arnOf("pool", identity);
    if (identity.startsWith("phone-")) return this.#arnOf("phone-number", identity);
    if (/^\+?\d+$/.test(identity)) return this.#arnOf("phone-number", "*");
    return this.#arnOf("sender-id", identity.startsWith("arn:") ? identity : `${identity}/*`);
  }

  /** The ARN of what is named by it, or by its name. */
  #arnOf(resource: string, name: string): string {
    if (name.startsWith("arn:")) return name;
    const region = this.#settings.elsewhere?.region ?? Aws.REGION;
    return `arn:${Aws.PARTITION}:${SERVICE}:${region}:${Aws.ACCOUNT_ID}:${resource}/${name}`;
  }
}

/** The id of a number or pool, of which its ARN says more. */
const idOf = (identity: string) => identity.replace(/^.*\//, "");

/** Who may publish to a topic, where that is for us to say; the topic itself is depended on by those that name it. */
const policyOf = (topic: ITopic) => topic.node.children.filter((it) => it instanceof TopicPolicy);

/** How cdk-nag writes an ARN of which it does not know all. */
const inFindings = (arn: string) =>
  arn
    .replaceAll(Aws.PARTITION, "<AWS::Partition>")
    .replaceAll(Aws.REGION, "<AWS::Region>")
    .replaceAll(Aws.ACCOUNT_ID, "<AWS::AccountId>");

/** The calls to AWS of a stack, and what CDK's function for them runs with: it may do nothing by itself. */
class CustomCalls extends Construct {
  readonly role: Role;
  readonly logGroup: LogGroup;

  private constructor(
    scope: Construct,
    id: string,
    { logRetentionDays }: Pick<Stage, "logRetentionDays">,
  ) {
    super(scope, id);
    this.logGroup = new LogGroup(this, "Logs", {
      retention: logRetentionDays as RetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.role = new Role(this, "Role", {
      assumedBy: new ServicePrincipal("lambda.amazonaws.com"),
      description: "What deployments may change of phone numbers and pools",
      inlinePolicies: {
        logs: new PolicyDocument({
          statements: [
            new PolicyStatement({
              actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
              resources: [this.logGroup.logGroupArn],
            }),
          ],
        }),
      },
    });
  }

  /** That of a stack. */
  static of(scope: Construct, stage: Pick<Stage, "logRetentionDays">): CustomCalls {
    const stack = Stack.of(scope);
    const known = stack.node.tryFindChild("CustomCalls") as CustomCalls | undefined;
    return known ?? new CustomCalls(stack, "CustomCalls", stage);
  }
}
