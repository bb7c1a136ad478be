import { CfnOutput, Stack, type StackProps } from "aws-cdk-lib";
import type { Construct } from "constructs";
import { Admin } from "./admin.ts";
import { Bulk } from "./bulk.ts";
import { Callback } from "./callback.ts";
import { CallbacksTable } from "./callbacks-table.ts";
import { CarrierEvents } from "./carrier-events.ts";
import { Carriers } from "./carriers.ts";
import { Directory } from "./directory.ts";
import { Dispatch } from "./dispatch.ts";
import { EventBus } from "./event-bus.ts";
import { HttpApi } from "./http-api.ts";
import { Ingress } from "./ingress.ts";
import { Mesago } from "./mesago.ts";
import { Messages } from "./messages.ts";
import { Notices } from "./notices.ts";
import { RateLimits } from "./rate-limits.ts";
import type { Stage } from "./stage.ts";
import { StatusEvents } from "./status-events.ts";
import { Wavy } from "./wavy.ts";

/** The gateway. */
export class TorpedoStack extends Stack {
  constructor(scope: Construct, id: string, props: StackProps & { stage: Stage }) {
    super(scope, id, props);
    const { stage } = props;
    const messages = new Messages(this, "Messages", { stage });
    const directory = new Directory(this, "Directory", { stage });
    const bus = new EventBus(this, "EventBus", { stage });
    const api = new HttpApi(this, "HttpApi", { stage });
    const carrierEvents = new CarrierEvents(this, "CarrierEvents", { stage, messages, directory });
    const rateLimits = new RateLimits(this, "RateLimits", { stage });
    const carriers = new Carriers(this, "Carriers", { stage, carrierEvents, rateLimits, bus });
    carrierEvents.countReceiptsFor(carriers);
    const dispatch = new Dispatch(this, "Dispatch", { stage, messages, directory, carriers });
    carrierEvents.confirmThrough(dispatch);
    const bulk = new Bulk(this, "Bulk", { stage, messages, dispatch });
    const callbacks = new CallbacksTable(this, "Callbacks", { stage });
    const callback = new Callback(this, "Callback", { stage, directory, callbacks, bus, dispatch });
    if (stage.notices) {
      new Notices(this, "Notices", { stage, from: stage.notices.from, directory, bus });
    }
    new StatusEvents(this, "StatusEvents", { stage, messages, bus, callback });
    new Ingress(this, "Ingress", { stage, api, directory, carrierEvents });
    new Mesago(this, "Mesago", { stage, api, messages, directory, dispatch, bulk });
    new Admin(this, "Admin", { stage, api, directory, callbacks, callback });
    new Wavy(this, "Wavy", { stage, api, messages, directory, rateLimits, dispatch, bulk });

    const outputs = {
      ApiUrl: api.api.apiEndpoint,
      ApiId: api.api.apiId,
      DirectoryTableName: directory.table.tableName,
      MessagesTableName: messages.table.tableName,
      EventBusName: bus.bus.eventBusName,
      DispatchQueueUrl: dispatch.lanes.singles.queue.queueUrl,
      BulkDispatchQueueUrl: dispatch.lanes.bulk.queue.queueUrl,
      BatchQueueUrl: bulk.worker.queue.queueUrl,
      CarrierEventsQueueUrl: carrierEvents.worker.queue.queueUrl,
      CallbackQueueUrl: callback.worker.queue.queueUrl,
      CallbackDeadLetterQueueUrl: callback.worker.deadLetterQueue.queueUrl,
      CallbackDeliveriesQueueUrl: callback.deliveries.queue.queueUrl,
      CallbackRetryQueueUrl: callback.retries.queue.queueUrl,
      CallbacksTableName: callbacks.table.tableName,
      CallbackRetentionHours: String(stage.callbacks.retentionHours),
      EndpointProtocols: stage.callbacks.allowHttp ? "https,http" : "https",
      EndpointLoopback: String(stage.callbacks.allowLoopback),
      ...carriers.outputs,
    };
    for (const [name, value] of Object.entries(outputs)) new CfnOutput(this, name, { value });
  }
}
