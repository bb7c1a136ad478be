import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { createDocumentClient } from "../../functions/adapters/dynamodb/client.ts";
import { createMessageStore } from "../../functions/adapters/dynamodb/messages.ts";
import { refOf } from "../../functions/core/message.ts";
import type { MessageStore } from "../../functions/core/ports.ts";
import { ManualClock } from "../support/memory.ts";
import { describeMessageStore } from "../support/message-store-contract.ts";
import { sampleMessage } from "../support/samples.ts";
import { DynamoDb } from "./dynamodb.ts";
import { type DynamoDbLocal, startDynamoDbLocal } from "./dynamodb-local.ts";

const tableName = "messages";
let local: DynamoDbLocal;

beforeAll(async () => {
  local = await startDynamoDbLocal();
  const table = inject("topology").tables.find(({ definition }) => definition.StreamSpecification);
  if (!table) throw new Error("there is no table of messages");
  const dynamoDb = new DynamoDb(local.port);
  await dynamoDb.createTable(tableName, table);
  dynamoDb.close();
});
afterAll(() => local.stop());

/** A store whose requests are counted, by their operation. */
function createStore(clock: ManualClock): { store: MessageStore; requests: string[] } {
  const requests: string[] = [];
  const client = createDocumentClient({
    endpoint: `http://127.0.0.1:${local.port}`,
    region: "us-east-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
  });
  client.middlewareStack.add(
    (next, context) => (args) => {
      requests.push(context.commandName?.replace("Command", "") ?? "");
      return next(args);
    },
    { step: "build" },
  );
  return { store: createMessageStore({ client, tableName, clock }), requests };
}

describeMessageStore(
  "messages in AWS's own engine of DynamoDB",
  (clock) => createStore(clock).store,
);

it("reads, claims and changes many together, each for itself", async () => {
  const clock = new ManualClock(Date.now());
  const { store, requests } = createStore(clock);
  const messages = Array.from({ length: 60 }, (_, n) =>
    sampleMessage(clock.now(), { account: "together", id: `id-${n}`, traceId: `trace-${n}` }),
  );
  await store.insertMany(messages);
  const lease = (n: number) => ({ token: `token-${n}`, until: clock.now() + 30_000 });
  const claim = (token: number) =>
    Promise.all(
      messages.map((message, n) =>
        store.claim(refOf(message), {
          now: clock.now(),
          lease: lease(n + token),
          carrier: "sandbox",
        }),
      ),
    );
  const [first] = messages.splice(0, 1);
  if (first) await store.claim(refOf(first), { now: clock.now(), lease: lease(0), carrier: "a" });
  requests.length = 0;
  const claimed = await claim(1);
  expect(claimed.map((it) => it.kind)).toEqual(messages.map(() => "claimed"));
  expect(requests).toEqual(Array(3).fill("BatchExecuteStatement"));
  expect((await claim(1_000)).map((it) => it.kind)).toEqual(messages.map(() => "refused"));

  const held = claimed.flatMap((it) => (it.kind === "claimed" ? [it.message] : []));
  requests.length = 0;
  const changes = await Promise.all(
    held.flatMap((seen, n) => [
      store.change(seen, { state: "SENT", stateAt: clock.now() + n, lease: undefined }),
      // About the same item: not in the same request.
      store.change(seen, { state: "FAILED", stateAt: clock.now() + n, lease: undefined }),
    ]),
  );
  expect(changes.filter((_, n) => n % 2 === 0).map((it) => it?.state)).toEqual(
    held.map(() => "SENT"),
  );
  expect(changes.filter((_, n) => n % 2 === 1)).toEqual(held.map(() => undefined));
  expect(requests).toEqual(Array(6).fill("BatchExecuteStatement"));

  requests.length = 0;
  const found = await Promise.all(
    [...held, ...held].map(({ account, id }) => store.find(account, id)),
  );
  expect(new Set(found.map((it) => it?.state))).toEqual(new Set(["SENT"]));
  expect(requests).toEqual(["BatchGetItem"]);
});
