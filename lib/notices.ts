import { Duration, Stack } from "aws-cdk-lib";
import { Rule, RuleTargetInput } from "aws-cdk-lib/aws-events";
import { SqsQueue } from "aws-cdk-lib/aws-events-targets";
import { PolicyStatement } from "aws-cdk-lib/aws-iam";
import { Construct } from "constructs";
import { env } from "../functions/notices/env.ts";
import type { Directory } from "./directory.ts";
import type { EventBus } from "./event-bus.ts";
import { QueueWorker } from "./shared/queue-worker.ts";
import { TorpedoFunction } from "./shared/torpedo-function.ts";
import type { Stage } from "./stage.ts";

/** The calls to AWS, each tried again. */
const TIMEOUT = Duration.seconds(30);
/** Notices are few, and SES takes not many at once. */
const MAX_CONCURRENCY = 2;

/** What notices needs of the rest. */
export interface NoticesProps {
  readonly stage: Stage;
  /** The address that notices come from; SES has to know it, or its domain. */
  readonly from: string;
  readonly directory: Directory;
  readonly bus: EventBus;
}

/** Mail to the owners of endpoints that were disabled: a rule, a queue, and the function that writes it. */
export class Notices extends Construct {
  constructor(scope: Construct, id: string, { stage, from, directory, bus }: NoticesProps) {
    super(scope, id);
    const fn = new TorpedoFunction(this, "Function", {
      stage,
      capability: "notices",
      description: "Writes to the owners of endpoints that were disabled",
      env,
      environment: { MAIL_FROM: from },
      timeout: TIMEOUT,
    });
    const worker = new QueueWorker(this, "Mails", {
      stage,
      worker: fn,
      maxConcurrency: MAX_CONCURRENCY,
      oldestMessage: Duration.minutes(15),
      whenStuck: {
        impact: "Owners learn late that their endpoints were disabled.",
        action: "Look for errors of the notices function, and for limits of SES.",
      },
      whenSetAside: {
        impact: "Owners were not told that their endpoints were disabled.",
        action:
          "Read the cause on the messages: SES may not know the sender or refuse a recipient; mend it, then redrive the queue.",
      },
    });
    worker.grantSetAside(fn);
    new Rule(this, "Rule", {
      eventBus: bus.bus,
      description: "Endpoints whose owners are to be told that they were disabled",
      eventPattern: { source: ["torpedo"], detailType: ["Endpoint Disabled"] },
      targets: [
        new SqsQueue(worker.queue, {
          message: RuleTargetInput.fromEventPath("$.detail"),
          deadLetterQueue: worker.deadLetterQueue,
        }),
      ],
    });
    directory.grantFindOwners(fn);
    fn.addToRolePolicy(
      new PolicyStatement({
        actions: ["ses:SendEmail"],
        resources: this.#identityArns(from),
        conditions: { StringEquals: { "ses:FromAddress": from } },
      }),
    );
  }

  /** As what SES may know the sender: an address, or all of a domain. */
  #identityArns(from: string): string[] {
    const domain = from.slice(from.lastIndexOf("@") + 1);
    return [from, domain].map((resourceName) =>
      Stack.of(this).formatArn({ service: "ses", resource: "identity", resourceName }),
    );
  }
}
