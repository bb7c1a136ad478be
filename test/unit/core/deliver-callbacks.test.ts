import { beforeEach, describe, expect, it } from "vitest";
import type { Endpoint } from "../../../functions/core/account.ts";
import {
  type CallbackDependencies,
  deliverEvent,
  isWanted,
  retryDelivery,
} from "../../../functions/core/deliver-callbacks.ts";
import { messageReceived, messageStatusChanged } from "../../../functions/core/events.ts";
import type { Message } from "../../../functions/core/message.ts";
import {
  ManualClock,
  MemoryDirectory,
  MemoryRetryQueue,
  MemoryWebhooks,
} from "../../support/memory.ts";
import { sampleAccount, sampleEndpoint, sampleMessage, sampleMo } from "../../support/samples.ts";

const clock = new ManualClock();
const eventIn = (overrides: Partial<Message>) =>
  messageStatusChanged(sampleMessage(clock.now(), overrides));
const request = (url: string) => ({ method: "POST" as const, url, headers: {}, body: "body" });
const failing = { kind: "answered", status: 500, durationMs: 3 } as const;

describe("isWanted", () => {
  const sent = { state: "SENT" } as const;
  const sentForGood = { state: "SENT", reason: "no-receipts" } as const;
  const delivered = { state: "DELIVERED" } as const;
  const failed = { state: "FAILED" } as const;

  it.each([
    ["ALL", sent, true],
    ["ALL", delivered, true],
    ["ALL", { state: "QUEUED" }, false],
    ["ALL", { state: "SENDING" }, false],
    ["ALL", { state: "SCHEDULED" }, false],
    ["FINAL", sent, false],
    ["FINAL", sentForGood, true],
    ["FINAL", delivered, true],
    ["FINAL", failed, true],
    ["NONE", delivered, false],
    ["NONE", failed, false],
  ] as const)("with %s, for %j: %s", (callbackOption, state, expected) => {
    expect(isWanted(sampleEndpoint(), eventIn({ ...state, callbackOption }))).toBe(expected);
    expect(isWanted(sampleEndpoint({ callbackOption }), eventIn(state))).toBe(expected);
  });

  it("lets the request decide over the endpoint", () => {
    const endpoint = sampleEndpoint({ callbackOption: "NONE" });
    expect(isWanted(endpoint, eventIn({ ...delivered, callbackOption: "ALL" }))).toBe(true);
  });

  it.each([
    [["sent"], sent, true],
    [["sent"], failed, true],
    [["sent"], delivered, false],
    [["delivered"], delivered, true],
    [["delivered"], { state: "NOT_DELIVERED" }, true],
    [["delivered"], sent, false],
    [["received"], delivered, false],
  ] as const)("for an endpoint of %j, for %j: %s", (events, state, expected) => {
    expect(isWanted(sampleEndpoint({ events: [...events] }), eventIn(state))).toBe(expected);
  });

  it.each([
    [["received"], true],
    [["sent", "delivered", "received"], true],
    [["sent", "delivered"], false],
  ] as const)("for an endpoint of %j, for an MO, whatever its option: %s", (events, expected) => {
    for (const callbackOption of ["ALL", "FINAL", "NONE"] as const) {
      const endpoint = sampleEndpoint({ events: [...events], callbackOption });
      expect(isWanted(endpoint, messageReceived(sampleMo(clock.now())))).toBe(expected);
    }
  });
});

describe("isWanted, of a Wavy message", () => {
  const wavy = (overrides: Partial<Message>) => eventIn({ dialect: "wavy", ...overrides });
  const sent = { state: "SENT" } as const;
  const sentForGood = { state: "SENT", reason: "no-receipts" } as const;
  const delivered = { state: "DELIVERED" } as const;
  const notDelivered = { state: "NOT_DELIVERED", reason: "inactive-number" } as const;
  const expired = { state: "EXPIRED" } as const;
  const optedOut = { state: "BLOCKED", reason: "opt-out" } as const;
  const canceled = { state: "CANCELED" } as const;

  it.each([
    ["ALL", sent, true],
    ["ALL", sentForGood, true],
    ["ALL", delivered, true],
    ["ALL", notDelivered, true],
    ["ALL", expired, true],
    ["ALL", optedOut, true],
    ["ALL", canceled, false],
    ["FINAL", sent, false],
    ["FINAL", sentForGood, true],
    ["FINAL", delivered, true],
    ["FINAL", notDelivered, true],
    ["FINAL", expired, true],
    ["FINAL", optedOut, true],
    ["FINAL", canceled, false],
    ["NONE", sent, false],
    ["NONE", delivered, false],
  ] as const)("with %s, for %j: %s", (callbackOption, state, expected) => {
    expect(isWanted(sampleEndpoint({ callbackOption }), wavy(state))).toBe(expected);
  });

  it.each([
    ["sent", sent, true],
    ["sent", sentForGood, true],
    ["sent", optedOut, true],
    ["sent", delivered, false],
    ["sent", notDelivered, false],
    ["delivered", delivered, true],
    ["delivered", notDelivered, true],
    ["delivered", sent, false],
    ["delivered", sentForGood, false],
    ["delivered", optedOut, false],
  ] as const)("for the URL of %s, for %j: %s", (level, state, expected) => {
    expect(isWanted(sampleEndpoint({ events: [level] }), wavy(state))).toBe(expected);
  });

  it("leaves a cancellation to clients that have a code for it", () => {
    expect(isWanted(sampleEndpoint(), eventIn(canceled))).toBe(true);
    expect(isWanted(sampleEndpoint(), eventIn({ ...canceled, dialect: "zenvia" }))).toBe(true);
  });
});

describe("isWanted, of sub-accounts", () => {
  const everybodys = sampleEndpoint();
  const marketings = sampleEndpoint({ subAccount: "Marketing" });
  const eventsOf = (of: { subAccount?: string }) => [
    eventIn({ state: "DELIVERED", ...of }),
    messageReceived(sampleMo(clock.now(), of)),
  ];

  it.each([
    [{ subAccount: "Marketing" }, true],
    [{ subAccount: "Sales" }, false],
    [{ subAccount: "marketing" }, false],
    [{}, false],
  ])("tells an endpoint of Marketing of what is %j: %s", (of, expected) => {
    for (const event of eventsOf(of)) {
      expect(isWanted(marketings, event)).toBe(expected);
      expect(isWanted(everybodys, event)).toBe(true);
    }
  });
});

describe("callbacks", () => {
  let directory: MemoryDirectory;
  let webhook: MemoryWebhooks;
  let retryQueue: MemoryRetryQueue;
  let deps: CallbackDependencies;
  const event = eventIn({ state: "DELIVERED" });

  beforeEach(() => {
    directory = new MemoryDirectory();
    directory.accounts.set("acme", sampleAccount());
    webhook = new MemoryWebhooks();
    retryQueue = new MemoryRetryQueue();
    const format: CallbackDependencies["format"] = (_, __, { url }) => request(url);
    deps = { directory, webhook, retryQueue, format, clock };
  });

  const endpointAt = (url: string, overrides: Partial<Endpoint> = {}) => {
    const endpoint = sampleEndpoint({ url, endpointId: url, ...overrides });
    directory.endpoints.push(endpoint);
    return endpoint;
  };

  it("go to every endpoint of the account that wants them, and to nobody else's", async () => {
    endpointAt("https://one.example/");
    endpointAt("https://two.example/");
    endpointAt("https://unwilling.example/", { callbackOption: "NONE" });
    endpointAt("https://other.example/", { account: "other" });
    const attempts = await deliverEvent(deps, event);
    expect(webhook.requests.map(({ url }) => url)).toEqual([
      "https://one.example/",
      "https://two.example/",
    ]);
    expect(attempts.map(({ outcome }) => outcome)).toEqual(["delivered", "delivered"]);
    expect(retryQueue.retries).toEqual([]);
  });

  it("are not made where the request says NONE", async () => {
    endpointAt("https://one.example/");
    expect(
      await deliverEvent(deps, eventIn({ state: "DELIVERED", callbackOption: "NONE" })),
    ).toEqual([]);
    expect(webhook.requests).toEqual([]);
  });

  it("that fail are tried again by themselves, after 5 s, 1 min and 5 min, then set aside", async () => {
    endpointAt("https://good.example/");
    endpointAt("https://bad.example/");
    webhook.answers.set("https://bad.example/", failing);
    await deliverEvent(deps, event);
    for (let next = retryQueue.retries[0]; retryQueue.retries.length < 3; ) {
      if (next) await retryDelivery(deps, next.delivery);
      next = retryQueue.retries.at(-1);
    }
    expect(retryQueue.retries.map(({ delaySeconds }) => delaySeconds)).toEqual([5, 60, 300]);
    const last = retryQueue.retries[2];
    if (last)
      expect(await retryDelivery(deps, last.delivery)).toMatchObject([
        { outcome: "given-up", attempt: 4 },
      ]);
    expect(retryQueue.givenUp).toMatchObject([
      { delivery: { endpointId: "https://bad.example/", attempts: 4 }, cause: "HTTP 500" },
    ]);
    expect(webhook.requests.filter(({ url }) => url === "https://good.example/")).toHaveLength(1);
  });

  it("that succeed later end there", async () => {
    const endpoint = endpointAt("https://shaky.example/");
    const delivery = { event, endpointId: endpoint.endpointId, attempts: 1 };
    expect(await retryDelivery(deps, delivery)).toMatchObject([{ outcome: "delivered" }]);
    expect(retryQueue.retries).toEqual([]);
  });

  it.each([199, 300, 302, 404, 500])(
    "are not taken for delivered by an answer of %d",
    async (status) => {
      endpointAt("https://one.example/");
      webhook.answers.set("https://one.example/", { kind: "answered", status, durationMs: 1 });
      expect(await deliverEvent(deps, event)).toMatchObject([{ outcome: "will-retry" }]);
    },
  );

  it("are not tried again for an endpoint that was removed meanwhile", async () => {
    const delivery = { event, endpointId: "gone", attempts: 1 };
    expect(await retryDelivery(deps, delivery)).toEqual([]);
    expect(webhook.requests).toEqual([]);
  });

  it("come again for all, rather than be lost, where the retry queue refuses", async () => {
    endpointAt("https://bad.example/");
    webhook.answers.set("https://bad.example/", failing);
    retryQueue.enqueue = () => Promise.reject(new Error("the queue is away"));
    await expect(deliverEvent(deps, event)).rejects.toThrow("the queue is away");
  });

  describe("of an MO", () => {
    const received = messageReceived(sampleMo(clock.now() - 1_500));

    it("go to every endpoint that wants MOs, whatever its option", async () => {
      endpointAt("https://one.example/", { events: ["received"], callbackOption: "NONE" });
      endpointAt("https://two.example/");
      endpointAt("https://unwilling.example/", { events: ["sent", "delivered"] });
      endpointAt("https://other.example/", { account: "other" });
      const formatted: unknown[] = [];
      const format: CallbackDependencies["format"] = (one, _, { url }) => {
        formatted.push(one);
        return request(url);
      };
      const attempts = await deliverEvent({ ...deps, format }, received);
      expect(webhook.requests.map(({ url }) => url)).toEqual([
        "https://one.example/",
        "https://two.example/",
      ]);
      expect(formatted).toEqual([received, received]);
      expect(attempts).toMatchObject([
        { outcome: "delivered", attempt: 1, sinceChangeMs: 1_500 },
        { outcome: "delivered", attempt: 1, sinceChangeMs: 1_500 },
      ]);
    });

    it("that fail are tried again, and set aside in the end", async () => {
      const { endpointId } = endpointAt("https://bad.example/");
      webhook.answers.set("https://bad.example/", failing);
      await deliverEvent(deps, received);
      expect(retryQueue.retries).toEqual([
        { delivery: { event: received, endpointId, attempts: 1 }, delaySeconds: 5 },
      ]);
      await retryDelivery(deps, { event: received, endpointId, attempts: 3 });
      expect(retryQueue.givenUp).toEqual([
        { delivery: { event: received, endpointId, attempts: 4 }, cause: "HTTP 500" },
      ]);
    });
  });
});
