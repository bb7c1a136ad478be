import { Duration, Stack, type StackProps } from "aws-cdk-lib";
import { Dashboard, GraphWidget, MathExpression, Metric } from "aws-cdk-lib/aws-cloudwatch";
import { QueryDefinition, QueryString } from "aws-cdk-lib/aws-logs";
import type { Construct } from "constructs";
import { addAlarm } from "./shared/alarms.ts";
import type { Stage } from "./stage.ts";

/**
 * What helps people look at the gateway but carries no message. It is a stack of its own because
 * emulators lack alarms over several metrics and saved queries.
 */
export class ObservabilityStack extends Stack {
  readonly #stage: Stage;

  constructor(scope: Construct, id: string, props: StackProps & { stage: Stage }) {
    super(scope, id, props);
    this.#stage = props.stage;
    this.#alarmOnFailures();
    this.#alarmOnDemotions();
    this.#addDashboard();
    new QueryDefinition(this, "FollowMessage", {
      queryDefinitionName: `torpedo-${this.#stage.name}/follow-a-message`,
      queryString: new QueryString({
        fields: ["@timestamp", "service", "@message"],
        filterStatements: ["@message like /TRACE-ID/"],
        sort: "@timestamp asc",
      }),
    });
  }

  #metric(service: string, metricName: string, statistic = "sum") {
    return new Metric({
      namespace: "Torpedo",
      metricName,
      dimensionsMap: { service, stage: this.#stage.name },
      statistic,
      period: Duration.minutes(5),
    });
  }

  #messages(metricName: string, statistic?: string) {
    return this.#metric("status-events", metricName, statistic);
  }

  #alarmOnFailures(): void {
    addAlarm(this, "FailureShareAlarm", this.#stage, {
      impact: "One message in ten or more fails at the carrier.",
      action:
        "Look at the dispatch function's log for what the carrier answers, and ask the carrier.",
      metric: new MathExpression({
        expression: "IF(sent + failed > 20, 100 * failed / (sent + failed), 0)",
        usingMetrics: {
          sent: this.#messages("MessagesSent"),
          failed: this.#messages("MessagesFailed"),
        },
        label: "Failed messages, percent",
        period: Duration.minutes(5),
      }),
      threshold: 10,
      evaluationPeriods: 2,
    });
  }

  #alarmOnDemotions(): void {
    addAlarm(this, "CarrierDemotedAlarm", this.#stage, {
      impact: "A carrier fails, or its receipts are late: its messages leave through others.",
      action: "See which with `npm run admin -- carrier status`, and ask the carrier.",
      metric: this.#metric("dispatch", "CarrierDemoted"),
      threshold: 1,
      evaluationPeriods: 1,
    });
  }

  #addDashboard(): void {
    const messageStates = [
      "Accepted",
      "Sent",
      "Delivered",
      "NotDelivered",
      "Failed",
      "Blocked",
      "Received",
    ];
    const graph = (title: string, left: Metric[]) => new GraphWidget({ title, left, width: 12 });
    new Dashboard(this, "Dashboard", {
      dashboardName: `torpedo-${this.#stage.name}`,
      widgets: [
        [
          graph(
            "Messages",
            messageStates.map((state) => this.#messages(`Messages${state}`)),
          ),
          graph("Time to the operator and to the phone, p95 ms", [
            this.#messages("AcceptedToSent", "p95"),
            this.#messages("SentToDelivered", "p95"),
          ]),
        ],
        [
          graph("Carriers that were demoted, and came back", [
            this.#metric("dispatch", "CarrierDemoted"),
            this.#metric("dispatch", "CarrierRestored"),
          ]),
        ],
        [
          graph("Callbacks", [
            this.#metric("callback", "CallbacksDelivered"),
            this.#metric("callback", "CallbacksRetried"),
            this.#metric("callback", "CallbacksGivenUp"),
          ]),
          graph("Time from change to callback, p95 ms", [
            this.#metric("callback", "ChangeToCallback", "p95"),
            this.#metric("callback", "CallbackDuration", "p95"),
          ]),
        ],
      ],
    });
  }
}
