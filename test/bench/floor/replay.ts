import { Agent, request as httpRequest } from "node:http";
import {
  BatchExecuteStatementCommand,
  BatchGetItemCommand,
  BatchWriteItemCommand,
  DeleteItemCommand,
  DynamoDBClient,
  ExecuteStatementCommand,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from "@aws-sdk/client-dynamodb";
import { EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";
import {
  CreateScheduleCommand,
  DeleteScheduleCommand,
  SchedulerClient,
} from "@aws-sdk/client-scheduler";
import {
  ChangeMessageVisibilityCommand,
  DeleteMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import type { Replay, ReplayedRequest } from "./recording.ts";

/**
 * A floor: the least code that makes the calls that one of our invocations made, with the same SDK
 * clients, those side by side that were side by side; nothing is validated, logged or looked at.
 * To be bundled as the functions are.
 */

type Input = Record<string, unknown>;
// biome-ignore lint/suspicious/noExplicitAny: each command has an input of its own, which was one when it was recorded
type Command = new (input: any) => any;

const dynamodb = new DynamoDBClient({});
const sqs = new SQSClient({});
const eventbridge = new EventBridgeClient({});
const scheduler = new SchedulerClient({});

const CLIENTS: Readonly<Record<string, { readonly send: (command: never) => Promise<unknown> }>> = {
  dynamodb,
  sqs,
  eventbridge,
  scheduler,
};

const COMMANDS: Readonly<Record<string, Command>> = {
  BatchExecuteStatement: BatchExecuteStatementCommand,
  BatchGetItem: BatchGetItemCommand,
  BatchWriteItem: BatchWriteItemCommand,
  DeleteItem: DeleteItemCommand,
  ExecuteStatement: ExecuteStatementCommand,
  GetItem: GetItemCommand,
  PutItem: PutItemCommand,
  Query: QueryCommand,
  TransactWriteItems: TransactWriteItemsCommand,
  UpdateItem: UpdateItemCommand,
  ChangeMessageVisibility: ChangeMessageVisibilityCommand,
  DeleteMessage: DeleteMessageCommand,
  SendMessage: SendMessageCommand,
  SendMessageBatch: SendMessageBatchCommand,
  PutEvents: PutEventsCommand,
  CreateSchedule: CreateScheduleCommand,
  DeleteSchedule: DeleteScheduleCommand,
};

const kept = new Agent({ keepAlive: true });
/**
 * A carrier gets a connection with each request, as from us: whether a request has arrived that went
 * out on one which had ended unnoticed, nobody could say.
 */
const fresh = new Agent();

/** A request that is ready to be made. */
interface Ready {
  readonly startedAfter: number;
  readonly make: () => Promise<unknown>;
}

/** Gets ready what is to be asked. @throws Error for an operation that no floor has made before */
export function prepare({ requests }: Replay): readonly Ready[] {
  return requests.map((request) => ({
    startedAfter: request.startedAfter,
    make: makerOf(request),
  }));
}

/** Makes the requests: each as soon as as many others are answered as were when it was recorded. */
export function handler(requests: readonly Ready[]): Promise<void> {
  return new Promise((resolve, reject) => {
    let begun = 0;
    let answered = 0;
    const goOn = () => {
      for (let next = requests[begun]; next; next = requests[begun]) {
        if (next.startedAfter > answered && begun > answered) return;
        begun++;
        next.make().then(() => {
          answered++;
          goOn();
        }, reject);
      }
      if (answered === requests.length) resolve();
    };
    goOn();
  });
}

function makerOf(request: ReplayedRequest): Ready["make"] {
  const { service, operation } = request;
  const client = CLIENTS[service];
  if (!client) return () => exchange(request);
  const Command = COMMANDS[operation];
  if (!Command) throw new Error(`no floor knows ${service}.${operation}`);
  const input = inputOf(request);
  return () => client.send(new Command(input) as never);
}

function inputOf({ service, path, body }: ReplayedRequest): Input {
  const input = (body === "" ? {} : JSON.parse(body)) as Input;
  if (service === "dynamodb") return withBytes(input) as Input;
  if (service === "eventbridge") return withTimes(input);
  if (service === "scheduler") {
    const url = new URL(path, "http://scheduler");
    const group = url.searchParams.get("groupName");
    return {
      ...input,
      Name: decodeURIComponent(url.pathname.split("/").at(-1) ?? ""),
      ...(group !== null && { GroupName: group }),
    };
  }
  return input;
}

/** On the wire, bytes are Base64. */
function withBytes(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withBytes);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value);
  const [only] = entries;
  if (only && entries.length === 1 && only[0] === "B" && typeof only[1] === "string") {
    return { B: Buffer.from(only[1], "base64") };
  }
  return Object.fromEntries(entries.map(([name, inner]) => [name, withBytes(inner)]));
}

/** On the wire, times are seconds. */
function withTimes(input: Input): Input {
  const entries = (input.Entries ?? []) as Input[];
  return {
    ...input,
    Entries: entries.map((entry) => ({
      ...entry,
      ...(entry.Time !== undefined && { Time: new Date(Number(entry.Time) * 1_000) }),
    })),
  };
}

/** What the HTTP client sets by itself. */
const OWN_HEADERS = ["host", "connection", "content-length", "transfer-encoding"];

function exchange({ service, method, path, headers, body }: ReplayedRequest): Promise<void> {
  const { hostname, port } = new URL(process.env.AWS_ENDPOINT_URL ?? "");
  const agent = service === "carrier" ? fresh : kept;
  const sent = Object.fromEntries(
    Object.entries(headers).filter(([name]) => !OWN_HEADERS.includes(name)),
  );
  const length = { "content-length": Buffer.byteLength(body) };
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { agent, hostname, port, method, path, headers: { ...sent, ...length } },
      (response) => {
        response.resume();
        response.on("end", resolve);
        response.on("error", reject);
      },
    );
    request.on("error", reject);
    request.end(body);
  });
}
