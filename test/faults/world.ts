import type { APIGatewayProxyStructuredResultV2, DynamoDBRecord } from "aws-lambda";
import { createDirectory } from "../../functions/adapters/dynamodb/directory.ts";
import { accountSettingsSchema, endpointSchema } from "../../functions/core/account.ts";
import { hashSecret } from "../../functions/core/passwords.ts";
import type { AwsClients } from "./aws.ts";
import { failed, type WireAnswer, type WireRequest } from "./aws-wire.ts";
import { Bus } from "./bus.ts";
import { CARRIERS, createPlayedCarriers } from "./carrier.ts";
import { Chance } from "./chance.ts";
import { createCustomers } from "./customers.ts";
import type { DynamoDb, TableStream } from "./dynamodb.ts";
import { FaultPlan } from "./faults.ts";
import { createFunction, type Surroundings, type Variant } from "./functions.ts";
import { Ledger, type SentByClient } from "./ledger.ts";
import { neededFor } from "./permissions.ts";
import { Queues } from "./queues.ts";
import {
  CALM_AFTER_SECONDS,
  type CarrierPlan,
  type RequestPlan,
  type Scenario,
  type SmsPlan,
} from "./scenario.ts";
import { PlayedSchedules } from "./schedules.ts";
import { type Ending, Invocation, portsOf, Timeline, type World } from "./simulation.ts";
import { StreamMapping } from "./stream-mapping.ts";
import type { FunctionSettings, Topology } from "./topology.ts";

/** Noon in São Paulo. */
const START = Date.parse("2026-03-02T15:00:00Z");
const PASSWORD = "a-password";
/** What the SDK waits for an answer. */
const REQUEST_TIMEOUT_MS = 5_000;
/** More than this is no coming to rest. */
const MOST_STEPS = 150_000;
const CLIENT_TRIES = 6;
const CLIENT_PAUSE_MS = 20_000;
const LARGEST_SKEW_MS = 3_000;
const LARGEST_JUMP_MS = 5 * 60_000;
const NOBODYS_SHORT_CODE = "999";
/** JSON, but nothing that any function knows. */
export const POISON = '{"poison":true}';

type Item = Readonly<Record<string, { readonly S?: string; readonly N?: string }>>;

/** What worlds have in common. */
export interface Universe {
  readonly topology: Topology;
  readonly dynamoDb: DynamoDb;
  readonly messagesStream: TableStream;
  readonly clients: AwsClients;
  /** The name of a table, by its logical id. */
  readonly tableNames: ReadonlyMap<string, string>;
}

/** A function as it stands ready to be invoked: one process. */
interface Process {
  readonly run: (event: never) => Promise<unknown>;
  readonly skewMs: number;
}

/** One run: a stack of its own, whose messages nobody else sees, under a scenario. */
export class PlayedWorld implements World {
  readonly timeline = new Timeline(START);
  readonly chance: Chance;
  readonly ledger = new Ledger();
  readonly faults: FaultPlan;
  readonly queues: Queues;
  readonly bus: Bus;
  readonly schedules: PlayedSchedules;
  /** What functions asked of AWS, what befell them, and what they logged as errors. */
  readonly journal: string[] = [];
  clockOffsetMs = 0;
  steps = 0;
  readonly #universe: Universe;
  readonly #scenario: Scenario;
  readonly #name: string;
  readonly #variant: Variant;
  readonly #surroundings: Surroundings;
  readonly #functions: ReadonlyMap<string, FunctionSettings>;
  readonly #settings = new WeakMap<Invocation, FunctionSettings>();
  readonly #idle = new Map<string, Process[]>();
  readonly #streamMapping: StreamMapping;
  readonly #inbox: DynamoDBRecord[] = [];
  readonly #plans = new Map<string, CarrierPlan>();
  #isLooking = false;
  /** Where the stream was when this world wrote last. */
  #written = 0;
  #running = 0;
  #numbers = 0;

  /** @param name no other world's; without a full stop */
  constructor(universe: Universe, name: string, scenario: Scenario, variant: Variant) {
    this.#universe = universe;
    this.#scenario = scenario;
    this.#name = name;
    this.#variant = variant;
    this.chance = new Chance(scenario.seed);
    this.faults = new FaultPlan(new Chance(scenario.seed + 1), scenario.rates, scenario.outages);
    const { topology, clients } = universe;
    this.#functions = new Map(topology.functions.map((settings) => [settings.id, settings]));
    const invoke = (functionId: string, event: unknown, onEnd: (ending: Ending) => void) =>
      this.#invoke(functionId, event, onEnd);
    this.queues = new Queues({
      queues: topology.queues,
      mappings: topology.mappings,
      world: this,
      faults: this.faults,
      invoke,
    });
    this.bus = new Bus(topology.rules, this.queues);
    this.schedules = new PlayedSchedules(this, this.faults, this.queues);
    const mapping = topology.mappings.find(({ isStream }) => isStream);
    if (!mapping) throw new Error("nothing reads the stream");
    this.#streamMapping = new StreamMapping(mapping, this, invoke);
    const { ledger, faults } = this;
    this.#surroundings = {
      ...clients,
      ...portsOf(this),
      carriers: createPlayedCarriers({
        shortCode: this.#shortCode,
        planOf: (destination) => this.#planOf(destination),
        ledger,
        faults,
        report: (event, afterMs) => this.#report(event, afterMs),
      }),
      webhook: createCustomers({ ledger, faults, startedAt: START }),
      log: {
        info: () => {},
        error: (message, fields) => this.#note(`${message} ${JSON.stringify(fields)}`),
      },
      meter: { count: () => {}, time: () => {}, flush: () => {} },
      onNotGivenBack: () => {
        for (const account of this.accounts) ledger.mayCountTooMuch.add(account);
      },
    };
  }

  /** No other world's. */
  get #shortCode(): string {
    return `27${this.#number}`;
  }

  get #number(): string {
    return /\d+$/.exec(this.#name)?.[0] ?? "";
  }

  get hasPoison(): boolean {
    return this.#scenario.poison.length > 0;
  }

  get accounts(): readonly [string, string] {
    return [`${this.#name}.acme`, `${this.#name}.other`];
  }

  /** How many are at work right now. */
  get running(): number {
    return this.#running;
  }

  /** Plays the scenario until nothing happens any more. */
  async run(): Promise<void> {
    const leave = this.#universe.messagesStream.subscribe(this.#name, (record) =>
      this.#inbox.push(record),
    );
    try {
      await this.#prepare();
      for (const [index, request] of this.#scenario.requests.entries()) this.#plan(request, index);
      for (const [index, second] of this.#scenario.strayMos.entries()) {
        this.#sendStrayMo(second, index);
      }
      for (const second of this.#scenario.poison) this.#sendPoison(second);
      this.#planJumps();
      this.timeline.after(CALM_AFTER_SECONDS * 1_000, () => {
        this.faults.isOver = true;
      });
      await this.#untilRest();
      if (this.queues.redrive() > 0) await this.#untilRest();
    } finally {
      leave();
    }
  }

  async #untilRest(): Promise<void> {
    while (!this.timeline.isEmpty) {
      if (++this.steps > MOST_STEPS) throw new Error("the world does not come to rest");
      await this.timeline.step();
    }
  }

  /** An item of a table, as DynamoDB has it. */
  async read(tableVariable: string, pk: string, sk: string): Promise<Item | undefined> {
    const { Item } = await this.#universe.dynamoDb.must<{ Item?: Item }>(
      "DynamoDB_20120810.GetItem",
      {
        TableName: this.tableOf(tableVariable),
        Key: { pk: { S: pk }, sk: { S: sk } },
        ConsistentRead: true,
      },
    );
    return Item;
  }

  /** Removes what a look for accounts would find. */
  async cleanUp(): Promise<void> {
    const tableName = this.tableOf("DIRECTORY_TABLE");
    for (const account of this.accounts) {
      await this.#universe.dynamoDb.must("DynamoDB_20120810.DeleteItem", {
        TableName: tableName,
        Key: { pk: { S: `ACCOUNT#${account}` }, sk: { S: "ACCOUNT" } },
      });
    }
  }

  /** The name of the table that functions know under this variable. */
  tableOf(variable: string): string {
    for (const { environment } of this.#functions.values()) {
      const id = environment[variable];
      if (id !== undefined) return this.#universe.tableNames.get(id) ?? id;
    }
    throw new Error(`no function knows ${variable}`);
  }

  async #prepare(): Promise<void> {
    const directory = createDirectory({
      client: this.#universe.clients.dynamodb,
      tableName: this.tableOf("DIRECTORY_TABLE"),
    });
    for (const [index, account] of this.accounts.entries()) {
      await directory.insertAccount({
        version: 1,
        account,
        state: "active",
        country: "BR",
        timeZone: "America/Sao_Paulo",
        ...accountSettingsSchema.parse({
          longMessages: true,
          // One of the two is counted, and gets what nobody else does.
          ...(index === 0 && { limits: { perDay: 1_000 }, shortCodes: [this.#shortCode] }),
        }),
        credentials: [{ hash: hashSecret(PASSWORD), createdAt: 0 }],
        createdAt: 0,
        revision: 0,
      });
    }
    for (const [index, plan] of this.#scenario.endpoints.entries()) {
      const account = this.accounts[plan.account];
      const endpointId = `endpoint-${index}`;
      const url = `https://customer.example/${account}/${endpointId}`;
      this.ledger.endpoints.push({ account, endpointId, url, plan });
      await directory.putEndpoint(
        endpointSchema.parse({
          version: 1,
          account,
          endpointId,
          url,
          events: plan.events,
          format: plan.format,
          callbackOption: plan.callbackOption,
          secrets: [
            { secret: `whsec_${Buffer.from("a secret").toString("base64")}`, createdAt: 0 },
          ],
          createdAt: 0,
        }),
      );
    }
  }

  // What clients, phones and time do

  #plan(request: RequestPlan, index: number): void {
    const account = this.accounts[request.account];
    const messages = request.messages.map((plan, place): SentByClient & { destination: string } => {
      const destination = this.#newNumber();
      this.#plans.set(destination, plan.carrier);
      const id = `id-${index}-${place}`;
      const sent = { account, id, plan, answers: [], cancellations: [] };
      this.ledger.sent.push(sent);
      return { ...sent, destination };
    });
    const at = START + request.at * 1_000;
    const ask = () => this.#ask(account, messages, at, CLIENT_TRIES);
    this.timeline.after(request.at * 1_000, ask);
    if (request.isAskedTwice) {
      // Of two bulk requests with the same ids at the same time both are counted.
      if (messages.length > 1) this.ledger.mayCountTooMuch.add(account);
      this.timeline.after(request.at * 1_000 + this.chance.below(100), ask);
    }
    for (const { id, plan, cancellations, destination } of messages) {
      if (plan.canceled) {
        const { from, ms } = plan.canceled;
        const begin = request.at + (from === "due" ? plan.scheduled : 0);
        this.timeline.after(begin * 1_000 + ms, () =>
          this.#cancel(account, id, cancellations, CLIENT_TRIES),
        );
      }
      if (plan.answeredAfter !== undefined) {
        const after = (request.at + plan.scheduled + plan.answeredAfter) * 1_000;
        this.#reportMo(`answer-${id}`, destination, this.#shortCode, after);
      }
    }
  }

  #ask(
    account: string,
    messages: readonly (SentByClient & { destination: string })[],
    at: number,
    triesLeft: number,
  ): void {
    const elements = messages.map(({ id, plan, destination }) =>
      fieldsOf(plan, id, destination, at),
    );
    const [only] = elements;
    const isSingle = elements.length === 1;
    const body = isSingle
      ? { sendSmsRequest: only }
      : { sendSmsMultiRequest: { messages: elements } };
    this.#call(account, "POST", isSingle ? "send-sms" : "send-sms-multiple", body, (answer) => {
      const codes = answer && detailCodes(answer);
      for (const [index, { answers }] of messages.entries()) answers.push(codes?.[index] ?? "none");
      if (codes) return;
      this.ledger.mayCountTooMuch.add(account);
      if (triesLeft <= 1) return;
      this.timeline.after(CLIENT_PAUSE_MS, () => this.#ask(account, messages, at, triesLeft - 1));
    });
  }

  #cancel(account: string, id: string, cancellations: string[], triesLeft: number): void {
    this.#call(account, "POST", `cancel-sms/id/${id}`, undefined, (answer) => {
      cancellations.push((answer && detailCodes(answer)[0]) ?? "none");
      if (answer || triesLeft <= 1) return;
      this.timeline.after(CLIENT_PAUSE_MS, () =>
        this.#cancel(account, id, cancellations, triesLeft - 1),
      );
    });
  }

  /** @param onAnswer gets the body of an answer with 2xx, and nothing otherwise */
  #call(
    account: string,
    method: string,
    operation: string,
    body: object | undefined,
    onAnswer: (body: Record<string, unknown> | undefined) => void,
  ): void {
    const rawPath = `/api/${operation}`;
    const event = {
      version: "2.0",
      routeKey: "ANY /api/{proxy+}",
      rawPath,
      headers: {
        authorization: `Basic ${Buffer.from(`${account}:${PASSWORD}`).toString("base64")}`,
        "content-type": "application/json",
      },
      requestContext: {
        requestId: "request",
        http: { method, path: rawPath, sourceIp: "1.2.3.4" },
      },
      body: body ? JSON.stringify(body) : "",
      isBase64Encoded: false,
    };
    this.#invoke(this.#functionOf("mesago"), event, (ending) => {
      const result =
        ending.kind === "returned" ? (ending.value as APIGatewayProxyStructuredResultV2) : {};
      const isGood = result.statusCode !== undefined && Math.floor(result.statusCode / 100) === 2;
      onAnswer(isGood ? JSON.parse(result.body ?? "{}") : undefined);
    });
  }

  #newNumber(): string {
    const last = String(this.#numbers++).padStart(2, "0");
    return `55119${this.#number.padStart(6, "0")}${last}`;
  }

  #planOf(destination: string): CarrierPlan {
    const plan = this.#plans.get(destination);
    if (!plan) throw new Error(`nobody sent anything to ${destination}`);
    return plan;
  }

  #sendStrayMo(second: number, index: number): void {
    this.#reportMo(`stray-${index}`, this.#newNumber(), NOBODYS_SHORT_CODE, second * 1_000);
  }

  #sendPoison(second: number): void {
    const queues = this.#universe.topology.mappings.filter(({ isStream }) => !isStream);
    const { sourceId = "" } = queues[this.chance.below(queues.length)] ?? {};
    this.timeline.after(second * 1_000, () => {
      this.queues.put(sourceId, POISON);
    });
  }

  #reportMo(text: string, from: string, shortCode: string, afterMs: number): void {
    const at = START + afterMs;
    const carrierMessageId = `${this.#name}.${text}`;
    const mo = { type: "mo", carrier: CARRIERS[0], carrierMessageId, from, shortCode, text, at };
    this.ledger.mosReported.set(text, shortCode !== NOBODYS_SHORT_CODE);
    for (const one of this.chance.happens(0.3) ? this.#partsOf(mo) : [mo]) {
      const when = one === mo ? afterMs : afterMs + this.chance.below(60_000);
      this.#report(one, when);
      if (this.chance.happens(0.3)) this.#report(one, when + this.chance.below(60_000));
    }
  }

  /** An MO as carriers report it that do not put long ones together. */
  #partsOf<Mo extends { readonly text: string; readonly carrierMessageId: string }>(mo: Mo): Mo[] {
    const total = 2 + this.chance.below(2);
    const length = Math.ceil(mo.text.length / total);
    const reference = this.chance.below(256);
    return Array.from({ length: total }, (_, index) => ({
      ...mo,
      text: mo.text.slice(index * length, (index + 1) * length),
      carrierMessageId: `${mo.carrierMessageId}-${index}`,
      part: { reference, order: index + 1, total },
    }));
  }

  #report(event: object, afterMs: number): void {
    const mapping = this.#universe.topology.mappings.find(
      ({ functionId }) => this.#functions.get(functionId)?.capability === "carrier-events",
    );
    if (!mapping) throw new Error("nobody hears the carrier");
    this.timeline.after(afterMs, () => {
      this.queues.put(mapping.sourceId, JSON.stringify(event));
    });
  }

  /** Clocks are set while nobody looks at them. */
  #planJumps(): void {
    const look = () => {
      if (this.faults.isOver) return;
      if (this.#running === 0 && this.faults.happens("clock-jump")) {
        this.clockOffsetMs = Math.round((this.chance.fraction() * 2 - 1) * LARGEST_JUMP_MS);
      }
      this.timeline.after(30_000, look);
    };
    look();
  }

  // What Lambda does

  #functionOf(capability: string): string {
    for (const settings of this.#functions.values()) {
      if (settings.capability === capability) return settings.id;
    }
    throw new Error(`there is no function ${capability}`);
  }

  #invoke(functionId: string, event: unknown, onEnd: (ending: Ending) => void): void {
    const settings = this.#functions.get(functionId);
    if (!settings) throw new Error(`there is no function ${functionId}`);
    const process = this.#idle.get(functionId)?.pop() ?? this.#start(settings);
    this.#running++;
    const invocation = new Invocation(settings.capability, this, process.skewMs, (ending) => {
      this.#running--;
      if (invocation.cutOffBy) this.#note(invocation.cutOffBy, invocation);
      const lives = ending.kind === "returned" || ending.kind === "threw";
      if (lives) this.#idle.set(functionId, [...(this.#idle.get(functionId) ?? []), process]);
      onEnd(ending);
    });
    this.#settings.set(invocation, settings);
    invocation.run(settings.timeoutMs, () => process.run(event as never));
  }

  #start({ capability, environment }: FunctionSettings): Process {
    const named = Object.fromEntries(
      Object.entries(environment).map(([name, value]) => [
        name,
        this.#universe.tableNames.get(value) ?? value,
      ]),
    );
    return {
      run: createFunction(capability, named, this.#surroundings, this.#variant),
      skewMs: Math.round((this.chance.fraction() * 2 - 1) * LARGEST_SKEW_MS),
    };
  }

  #note(what: string, by = Invocation.current()): void {
    const at = ((this.timeline.now - START) / 1_000).toFixed(3);
    this.journal.push(`${at} ${by?.functionName ?? ""} ${by?.number ?? ""} ${what}`);
  }

  // What AWS does

  async serve(request: WireRequest, caller: Invocation): Promise<WireAnswer> {
    const denied = this.#deniedTo(caller, request);
    if (denied) {
      this.ledger.denied.add(`${caller.functionName}: ${denied}`);
      return caller.call(() => failed(400, "AccessDeniedException", denied));
    }
    const fault = this.faults.ofCall(
      request.service,
      (this.timeline.now - START) / 1_000,
      caller,
      canBePartlyDone(request),
    );
    if (caller.isInTrouble) caller.failedBy.add(request.service);
    const effect = async () => {
      const answer = await this.#perform(request, () => false);
      if (answer.status === 200) {
        noteRecorded(this.ledger, request, caller, answer);
        noteCounted(this.ledger, request);
      }
      return answer;
    };
    this.#note(`${request.operation} ${fault ?? ""} ${JSON.stringify(request.body)}`);
    switch (fault) {
      case undefined:
        return caller.call(effect);
      case "throttled":
        return caller.call(() => failed(400, "ThrottlingException"));
      case "server-error":
        return caller.call(() => failed(500, "InternalServerError"));
      case "timed-out-before-effect":
        return caller.call(() => {
          throw timedOut();
        }, REQUEST_TIMEOUT_MS);
      case "timed-out-after-effect":
        return caller.call(async () => {
          await effect();
          throw timedOut();
        }, REQUEST_TIMEOUT_MS);
      case "crash-before-call":
        return caller.die();
      case "crash-after-call":
        return caller.call(async () => {
          const answer = await effect();
          caller.end({ kind: "crashed" });
          return answer;
        });
      case "partly-done":
        return caller.call(() => this.#perform(request, () => this.chance.happens(0.5)));
    }
  }

  /** What a request needs that the role of its function does not have, if anything. */
  #deniedTo(caller: Invocation, request: WireRequest): string | undefined {
    const permissions = this.#settings.get(caller)?.permissions ?? [];
    const logicalIds = new Map([...this.#universe.tableNames].map(([id, name]) => [name, id]));
    return neededFor(request, (name) => logicalIds.get(name) ?? name).find(
      (needed) => !permissions.includes(needed),
    );
  }

  async #perform(request: WireRequest, refused: () => boolean): Promise<WireAnswer> {
    switch (request.service) {
      case "sqs":
        return this.queues.answer(request, refused);
      case "eventbridge":
        return this.bus.answer(request, refused);
      case "scheduler":
        return this.schedules.answer(request);
      case "dynamodb":
        return this.#askDynamoDb(request, refused);
      default:
        throw new Error(`there is no ${request.service} here`);
    }
  }

  async #askDynamoDb(
    { operation, body }: WireRequest,
    refused: () => boolean,
  ): Promise<WireAnswer> {
    const target = `DynamoDB_20120810.${operation}`;
    const answer =
      operation === "BatchGetItem"
        ? await this.#batchGet(target, body, refused)
        : operation === "BatchExecuteStatement"
          ? await this.#batchExecute(target, body, refused)
          : await this.#universe.dynamoDb.send(target, body);
    if (WRITES.has(operation)) this.#lookAtStream();
    return answer;
  }

  /** DynamoDB leaves some keys for the next request. */
  async #batchGet(
    target: string,
    body: Record<string, unknown>,
    refused: () => boolean,
  ): Promise<WireAnswer> {
    type Keys = { Keys: unknown[] };
    const wanted = Object.entries(body.RequestItems as Record<string, Keys>);
    const left: Record<string, Keys> = {};
    const asked: Record<string, Keys> = {};
    for (const [table, request] of wanted) {
      const skipped = request.Keys.filter(() => refused());
      const keys = request.Keys.filter((key) => !skipped.includes(key));
      if (skipped.length > 0) left[table] = { ...request, Keys: skipped };
      if (keys.length > 0) asked[table] = { ...request, Keys: keys };
    }
    if (Object.keys(asked).length === 0) {
      return { status: 200, body: { Responses: {}, UnprocessedKeys: left } };
    }
    const answer = await this.#universe.dynamoDb.send(target, { ...body, RequestItems: asked });
    if (answer.status !== 200) return answer;
    return { status: 200, body: { ...Object(answer.body), UnprocessedKeys: left } };
  }

  /** Each statement fails for itself. */
  async #batchExecute(
    target: string,
    body: Record<string, unknown>,
    refused: () => boolean,
  ): Promise<WireAnswer> {
    const statements = body.Statements as unknown[];
    const isRefused = statements.map(() => refused());
    const asked = statements.filter((_, index) => !isRefused[index]);
    const answer =
      asked.length > 0
        ? await this.#universe.dynamoDb.send(target, { ...body, Statements: asked })
        : { status: 200, body: { Responses: [] } };
    if (answer.status !== 200) return answer;
    const responses = (answer.body as { Responses: unknown[] }).Responses.values();
    const Responses = isRefused.map((refusal) =>
      refusal
        ? { Error: { Code: "ThrottlingError", Message: "try again" } }
        : responses.next().value,
    );
    return { status: 200, body: { Responses } };
  }

  #lookAtStream(): void {
    this.#written = this.#universe.messagesStream.mark;
    if (this.#isLooking) return;
    this.#isLooking = true;
    this.timeline.after(this.chance.below(300), async () => {
      this.#isLooking = false;
      await this.#universe.messagesStream.catchUp(this.#written);
      for (const record of this.#inbox.splice(0)) this.#see(record);
    });
  }

  #see(record: DynamoDBRecord): void {
    const partition = record.dynamodb?.Keys?.pk?.S ?? "";
    noteRecord(this.ledger, record);
    this.#streamMapping.feed(record, hashOf(partition.slice(this.#name.length)));
  }
}

const WRITES = new Set([
  "PutItem",
  "UpdateItem",
  "DeleteItem",
  "TransactWriteItems",
  "ExecuteStatement",
  "BatchExecuteStatement",
]);

function canBePartlyDone({ operation }: WireRequest): boolean {
  return ["BatchGetItem", "BatchExecuteStatement", "SendMessageBatch", "PutEvents"].includes(
    operation,
  );
}

/** As the SDK's own handler says it. */
const timedOut = () => Object.assign(new Error("the request timed out"), { name: "TimeoutError" });

const hashOf = (text: string) =>
  [...text].reduce((hash, character) => (hash * 31 + character.charCodeAt(0)) >>> 0, 7);

const LONG_TEXT = "Hello, I am a long message that takes its time. ".repeat(8);

function fieldsOf(plan: SmsPlan, id: string, destination: string, at: number) {
  return {
    destination,
    messageText: plan.isLong ? LONG_TEXT : "Hello, I am a message",
    correlationId: id,
    ...(plan.callbackOption && { callbackOption: plan.callbackOption }),
    ...(plan.scheduled > 0 && {
      scheduledDate: new Date(at + plan.scheduled * 1_000).toISOString(),
    }),
  };
}

/** The detail codes of an answer: of each message, or of the one that was asked about. */
function detailCodes(body: Record<string, unknown>): string[] {
  const [content] = Object.values(body) as {
    detailCode?: string;
    sendSmsResponseList?: unknown[];
  }[];
  const list = content?.sendSmsResponseList ?? [content];
  return list.map((element) => String((element as { detailCode?: string }).detailCode));
}

/** A hand-over is written down where its message is changed, or its record is put into the queue. */
function noteRecorded(
  { handOvers }: Ledger,
  { operation, body }: WireRequest,
  caller: Invocation,
  answer: WireAnswer,
) {
  const changed = keysChangedBy(operation, body, answer);
  for (const handOver of handOvers) {
    if (handOver.by !== caller) continue;
    const { account, id, traceId } = handOver;
    const isRecord = operation === "SendMessage" && isRecordOf(String(body.MessageBody), traceId);
    if (isRecord || changed.has(`${account}#${id}`)) handOver.isRecorded = true;
  }
}

/** The partitions of the items that statements have changed; of no item's own values is one like them. */
function keysChangedBy(
  operation: string,
  body: Record<string, unknown>,
  answer: WireAnswer,
): Set<string> {
  type Executed = { readonly Statement: string; readonly Parameters?: readonly { S?: string }[] };
  const executed =
    operation === "ExecuteStatement"
      ? [body as unknown as Executed]
      : operation === "BatchExecuteStatement"
        ? (body.Statements as Executed[]).filter((_, index) => {
            const { Responses } = answer.body as { Responses: { Error?: unknown }[] };
            return Responses[index]?.Error === undefined;
          })
        : [];
  const updates = executed.filter(({ Statement }) => Statement.startsWith("UPDATE"));
  return new Set(updates.flatMap(({ Parameters = [] }) => Parameters.flatMap(({ S }) => S ?? [])));
}

const isRecordOf = (body: string, traceId: string) =>
  body.includes(traceId) && "lease" in JSON.parse(body);

/** What the SDK asks for again is counted again where another count has taken its place in between. */
function noteCounted(ledger: Ledger, { operation, body }: WireRequest) {
  const key = (body.Key as { pk?: { S?: string } } | undefined)?.pk?.S;
  const [kind, account = ""] = key?.split("#") ?? [];
  if (operation !== "UpdateItem" || kind !== "USAGE") return;
  const { "#place": place = "" } = body.ExpressionAttributeNames as Record<string, string>;
  const token = (body.ExpressionAttributeValues as Record<string, { S: string }>)[":token"]?.S;
  const isCount = place.startsWith("t");
  const tokens = ledger.counted.get(`${key} ${place}`) ?? [];
  if (isCount && tokens.at(-1) !== token && tokens.includes(String(token))) {
    ledger.mayCountTooMuch.add(account);
  }
  ledger.counted.set(`${key} ${place}`, [...tokens, String(token)]);
}

/** Writes down what a record of the stream says about a message or an MO. */
function noteRecord(ledger: Ledger, { eventName, dynamodb }: DynamoDBRecord): void {
  const sortKey = dynamodb?.Keys?.sk?.S ?? "";
  if (sortKey.startsWith("MO#") && eventName === "INSERT") {
    const { account, id, text } = dynamodb?.NewImage ?? {};
    ledger.mosStored.push({ account: account?.S ?? "", moId: id?.N ?? "", text: text?.S ?? "" });
  }
  if (sortKey !== "MT") return;
  const image = dynamodb?.NewImage;
  if (!image) {
    ledger.withdrawn.add(dynamodb?.OldImage?.traceId?.S ?? "");
    return;
  }
  const traceId = image.traceId?.S ?? "";
  const history = ledger.histories.get(traceId) ?? [];
  ledger.histories.set(traceId, history);
  const state = image.state?.S as (typeof history)[number]["state"];
  const before = history.at(-1);
  const isSame = before?.state === state && dynamodb?.OldImage?.attempts?.N === image.attempts?.N;
  const seen = {
    state,
    reason: image.reason?.S,
    account: image.account?.S ?? "",
    id: image.id?.S ?? "",
    parts: image.parts?.L?.length ?? 1,
    callbackOption: image.callbackOption?.S,
  };
  if (isSame) history[history.length - 1] = seen;
  else history.push(seen);
}
