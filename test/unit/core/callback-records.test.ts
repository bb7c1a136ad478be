import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { formatCallback } from "../../../functions/callback/schema.ts";
import { ConflictError, InvalidRequestError } from "../../../functions/core/accounts.ts";
import {
  DELIVERY_STATES,
  type Delivery,
  deliveryIdOf,
  deliverySchema,
} from "../../../functions/core/callback-delivery.ts";
import {
  type CallbackQuery,
  getCallback,
  listCallbacks,
  replayAllFailed,
  replayCallback,
  replayFailed,
  testEndpoint,
} from "../../../functions/core/callback-records.ts";
import { turnOf } from "../../../functions/core/deliver-callbacks.ts";
import { type EndpointState, inState } from "../../../functions/core/endpoint-health.ts";
import { isMessageReceived } from "../../../functions/core/events.ts";
import { CountingRandomness, ManualClock, MemoryDirectory } from "../../support/memory.ts";
import {
  MemoryCallbackQueue,
  MemoryDeliveries,
  MemoryEndpointHealths,
} from "../../support/memory-callbacks.ts";
import { sampleAccount, sampleDelivery, sampleEndpoint } from "../../support/samples.ts";

const DAY = 86_400_000;

function newDependencies() {
  const clock = new ManualClock();
  const directory = new MemoryDirectory();
  for (const account of ["acme", "other"]) {
    directory.accounts.set(account, sampleAccount({ account }));
  }
  for (const endpointId of ["endpoint-1", "endpoint-2"]) {
    directory.endpoints.push(sampleEndpoint({ endpointId }));
  }
  return {
    clock,
    directory,
    deliveries: new MemoryDeliveries(clock),
    endpointHealths: new MemoryEndpointHealths(),
    callbackQueue: new MemoryCallbackQueue(),
    callbackRetentionMs: 7 * DAY,
    randomness: new CountingRandomness(),
  };
}

let deps: ReturnType<typeof newDependencies>;
beforeEach(() => {
  deps = newDependencies();
});

const insert = (overrides: Partial<Delivery> = {}) =>
  deps.deliveries.insert(sampleDelivery(deps.clock.now(), overrides));
const list = (query: Partial<CallbackQuery> = {}) =>
  listCallbacks(deps, { account: "acme", before: deps.clock.now() + 1, limit: 50, ...query });
const subjectsOf = (callbacks: readonly Delivery[]) => callbacks.map(({ subject }) => subject);

async function setState(state: EndpointState) {
  const read = await deps.endpointHealths.find(sampleEndpoint());
  await deps.endpointHealths.update(read, inState(read, state, deps.clock.now()));
}

describe("the list of callbacks", () => {
  it("has those of all endpoints, newest first", async () => {
    for (const [subject, endpointId] of [
      ["a", "endpoint-1"],
      ["b", "endpoint-2"],
      ["c", "endpoint-1"],
    ] as const) {
      deps.clock.advance(1_000);
      await insert({ subject, endpointId });
    }
    await insert({ account: "other", subject: "x" });
    const all = await list();
    expect(subjectsOf(all.callbacks)).toEqual(["c", "b", "a"]);
    expect(all.next).toBeUndefined();
    expect(subjectsOf((await list({ endpointId: "endpoint-1" })).callbacks)).toEqual(["c", "a"]);
    expect(await list({ account: "other" })).toEqual({ callbacks: [] });
  });

  it.each<[Partial<CallbackQuery>, RegExp]>([
    [{ account: "nobody" }, /no account "nobody"/],
    [{ endpointId: "endpoint-3" }, /no endpoint endpoint-3/],
    [{ account: "other", endpointId: "endpoint-1" }, /account "other" has no endpoint/],
  ])("is that of an account and of an endpoint that there is: %j", async (query, message) => {
    await expect(list(query)).rejects.toThrow(message);
    await expect(list(query)).rejects.toThrow(InvalidRequestError);
  });

  const contents = fc.array(
    fc.record({
      second: fc.nat(6),
      endpointId: fc.constantFrom("endpoint-1", "endpoint-2"),
      state: fc.constantFrom(...DELIVERY_STATES),
    }),
    { maxLength: 30 },
  );

  it("has all of them once, page by page, however many are of the same moment", async () => {
    await fc.assert(
      fc.asyncProperty(
        contents,
        fc.integer({ min: 1, max: 7 }),
        fc.option(fc.constantFrom(...DELIVERY_STATES), { nil: undefined }),
        fc.option(fc.constant("endpoint-1"), { nil: undefined }),
        async (all, limit, state, endpointId) => {
          deps = newDependencies();
          const startedAt = deps.clock.now();
          for (const [index, { second, ...delivery }] of all.entries()) {
            const createdAt = startedAt + second * 1_000;
            await insert({ ...delivery, subject: `subject-${index}`, createdAt });
          }
          const seen: Delivery[] = [];
          let before: number | undefined = startedAt + DAY;
          for (let pages = 0; before !== undefined; pages++) {
            expect(pages).toBeLessThanOrEqual(all.length);
            const page = await list({ state, endpointId, limit, before });
            if (page.next !== undefined) {
              expect(page.callbacks.length).toBeGreaterThanOrEqual(limit);
              expect(page.next).toBeLessThan(before);
            }
            seen.push(...page.callbacks);
            before = page.next;
          }
          const wanted = all.flatMap((it, index) =>
            (state ?? it.state) === it.state && (endpointId ?? it.endpointId) === it.endpointId
              ? [`subject-${index}`]
              : [],
          );
          expect(subjectsOf(seen).sort()).toEqual(wanted.sort());
          const times = seen.map(({ createdAt }) => createdAt);
          expect(times).toEqual(times.toSorted((one, other) => other - one));
        },
      ),
    );
  });

  it("looks no further than it may at once for the few that are wanted, and says where to go on", async () => {
    const startedAt = deps.clock.now();
    await insert({ subject: "wanted", state: "failed", createdAt: startedAt - 10_000 });
    for (let i = 0; i < 2_500; i++) {
      await insert({ subject: `subject-${i}`, createdAt: startedAt - i });
    }
    const first = await list({ state: "failed" });
    expect(first.callbacks).toEqual([]);
    expect(first.next).toBeGreaterThan(startedAt - 2_500);
    const second = await list({ state: "failed", before: first.next ?? 0 });
    expect(subjectsOf(second.callbacks)).toEqual(["wanted"]);
    expect(second.next).toBeUndefined();
  });
});

describe("a callback", () => {
  it("is shown to its account alone", async () => {
    const delivery = await insert();
    const id = deliveryIdOf(delivery);
    expect(await getCallback(deps, "acme", id)).toEqual(delivery);
    await expect(getCallback(deps, "other", id)).rejects.toThrow(/has no callback/);
    await expect(replayCallback(deps, "other", id)).rejects.toThrow(/has no callback/);
  });

  it.each(["", "x", "a_b", "endpoint-1_trace-1_read", "endpoint-1__sent", "_trace-1_sent"])(
    "is not found by what can be no id: %j",
    async (id) => {
      await insert();
      await expect(getCallback(deps, "acme", id)).rejects.toThrow(InvalidRequestError);
    },
  );

  it.each(DELIVERY_STATES)(
    "is told again that is %s, from the beginning of its retries",
    async (state) => {
      const attempts = [{ at: 1, durationMs: 1, status: 404 }];
      const delivery = await insert({ state, cause: "HTTP 404", turn: 3, step: 2, attempts });
      deps.clock.advance(6.5 * DAY);
      const now = deps.clock.now();
      const replayed = await replayCallback(deps, "acme", deliveryIdOf(delivery));
      expect(deliverySchema.parse(replayed)).toMatchObject({
        state: "pending",
        turn: 3,
        step: 0,
        attempts,
        deadline: now + DAY,
        removeAt: Math.ceil((now + 7 * DAY) / 1_000),
      });
      expect(replayed).not.toHaveProperty("cause");
      expect(replayed).not.toHaveProperty("settledAt");
      expect(deps.callbackQueue.later).toMatchObject([
        { turn: turnOf(delivery), notBefore: now + 5_000 },
      ]);
    },
  );

  it("is not told again to an endpoint that is disabled or gone", async () => {
    const id = deliveryIdOf(await insert({ state: "failed" }));
    await setState("disabled");
    await expect(replayCallback(deps, "acme", id)).rejects.toThrow(ConflictError);
    await expect(replayCallback(deps, "acme", id)).rejects.toThrow(/enable it first/);
    await deps.directory.removeEndpoint("acme", "endpoint-1");
    await expect(replayCallback(deps, "acme", id)).rejects.toThrow(/has no endpoint/);
    expect(deps.callbackQueue.later).toEqual([]);
  });

  it("stays as it was where nobody takes its turn", async () => {
    const delivery = await insert({ state: "failed" });
    deps.callbackQueue.refuses = true;
    await expect(replayCallback(deps, "acme", deliveryIdOf(delivery))).rejects.toThrow(/away/);
    expect(await deps.deliveries.find(delivery)).toEqual(delivery);
  });
});

describe("what an endpoint missed", () => {
  it("is told again in the background, without what fails from now on", async () => {
    await replayFailed(deps, "acme", "endpoint-1", 5);
    const until = deps.clock.now();
    expect(deps.callbackQueue.releases).toEqual([
      {
        job: {
          kind: "release",
          account: "acme",
          endpointId: "endpoint-1",
          state: "failed",
          since: 5,
          until,
        },
        delaySeconds: 0,
      },
    ]);
  });

  it("stays untold to endpoints that are disabled, or another's", async () => {
    await setState("disabled");
    await expect(replayFailed(deps, "acme", "endpoint-1", 0)).rejects.toThrow(/enable it first/);
    await expect(replayFailed(deps, "other", "endpoint-1", 0)).rejects.toThrow(/has no endpoint/);
    expect(deps.callbackQueue.releases).toEqual([]);
  });
});

describe("what an account's endpoints missed", () => {
  it("is told again to all but those that are disabled", async () => {
    await setState("disabled");
    deps.directory.endpoints.push(sampleEndpoint({ endpointId: "endpoint-3" }));
    deps.directory.endpoints.push(sampleEndpoint({ account: "other", endpointId: "endpoint-4" }));
    const told = await replayAllFailed(deps, "acme", 5);
    expect(told.map(({ endpointId }) => endpointId)).toEqual(["endpoint-2", "endpoint-3"]);
    const until = deps.clock.now();
    const job = { kind: "release", account: "acme", state: "failed", since: 5, until };
    expect(deps.callbackQueue.releases).toEqual([
      { job: { ...job, endpointId: "endpoint-2" }, delaySeconds: 0 },
      { job: { ...job, endpointId: "endpoint-3" }, delaySeconds: 0 },
    ]);
  });

  it("is nobody's where there is no such account", async () => {
    await expect(replayAllFailed(deps, "nobody", 0)).rejects.toThrow(/no account "nobody"/);
    expect(await replayAllFailed(deps, "other", 0)).toEqual([]);
  });
});

describe("a test of an endpoint", () => {
  const events = ["sent", "delivered", "received", "any"] as const;
  const formats = ["dialect", "mesago", "zenvia", "wavy", "cloudevents"] as const;

  it.each(events.flatMap((event) => formats.map((format) => [event, format] as const)))(
    "of %s in %s is something that it could be told",
    async (event, format) => {
      const endpoint = sampleEndpoint({ events: [event], format, subAccount: "sales" });
      deps.directory.endpoints.splice(0, 1, endpoint);
      const delivery = await testEndpoint(deps, "acme", "endpoint-1");
      expect(deliverySchema.parse(delivery)).toEqual(delivery);
      expect(delivery).toMatchObject({ level: "test", state: "pending", attempts: [] });
      expect(delivery.event).toMatchObject({ account: "acme", subAccount: "sales" });
      expect(isMessageReceived(delivery.event)).toBe(event === "received");
      expect(deps.callbackQueue.turns).toEqual([turnOf(delivery)]);
      expect(await getCallback(deps, "acme", deliveryIdOf(delivery))).toEqual(delivery);
      const request = { id: deliveryIdOf(delivery), at: deps.clock.now() };
      const written = formatCallback(delivery.event, sampleAccount(), endpoint, request);
      expect(JSON.stringify(written)).toContain(
        event === "received" || format === "wavy" || format === "cloudevents"
          ? "5500000000000"
          : "callbackMtRequest",
      );
    },
  );

  it("is another one each time, and in the words that the account is told in", async () => {
    deps.directory.accounts.set("acme", sampleAccount({ moDialect: "wavy" }));
    const [one, other] = [
      await testEndpoint(deps, "acme", "endpoint-1"),
      await testEndpoint(deps, "acme", "endpoint-1"),
    ];
    expect(one.event.dialect).toBe("wavy");
    expect(deliveryIdOf(one)).not.toBe(deliveryIdOf(other));
    expect(one.event.eventId).not.toBe(other.event.eventId);
  });

  it("comes whatever its state, but to no other account's", async () => {
    await setState("disabled");
    expect(await testEndpoint(deps, "acme", "endpoint-1")).toMatchObject({ state: "pending" });
    await expect(testEndpoint(deps, "other", "endpoint-1")).rejects.toThrow(/has no endpoint/);
  });
});
