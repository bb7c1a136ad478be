import { describe, expect, it } from "vitest";
import { callAdmin } from "./support/admin-api.ts";
import { watchBus } from "./support/bus.ts";
import { receiversOfTests } from "./support/callback-receiver.ts";
import { eventually } from "./support/eventually.ts";
import { TestAccount } from "./support/stack.ts";
import { TestWavyAccount } from "./support/wavy-account.ts";

const startReceiver = receiversOfTests();

/** An account with an endpoint that is told of final statuses, and what administrators see of both. */
async function accountWithEndpoint(url: string) {
  const account = await TestWavyAccount.create();
  const { endpoint } = await account.addEndpoint(url, { callbackOption: "FINAL" });
  const { endpointId } = endpoint;
  const ask = (method: string, what: string, body?: unknown) =>
    callAdmin(account, method, what, body);
  return {
    account,
    endpointId,
    path: `/endpoints/${endpointId}`,
    ask,
    send: async (): Promise<string> => (await account.send()).body[0].id,
    /** The states of the callbacks about some messages. */
    statesOf: async (ids: readonly string[]): Promise<string[]> => {
      const { body } = await ask("GET", `/callbacks?endpoint=${endpointId}`);
      const callbacks: { messageId: string; state: string }[] = body.callbacks;
      return ids.map((id) => callbacks.find(({ messageId }) => messageId === id)?.state ?? "none");
    },
  };
}

describe("an endpoint that fails", () => {
  it.concurrent("is not told that a message was delivered before it has taken that it was sent", async () => {
    const [account, receiver] = await Promise.all([TestAccount.create(), startReceiver(503)]);
    await account.addEndpoint(receiver.url);
    await account.sendSms({ correlationId: "in-order" });
    await eventually(() => expect(receiver.statusesOf("in-order")).toContain("03/120"));
    expect(receiver.statusesOf("in-order").slice(0, 2)).toEqual(["02/110", "02/110"]);
    const [refused, taken] = receiver.received;
    expect(taken?.headers["webhook-id"]).toBe(refused?.headers["webhook-id"]);
    expect(taken?.raw).toBe(refused?.raw);
  });

  it.concurrent("is not asked again before it wants to be", async () => {
    // Longer than the first pause of the schedule ever is.
    const seconds = 8;
    const tooMany = { status: 429, headers: { "retry-after": String(seconds) } };
    const [account, receiver] = await Promise.all([TestAccount.create(), startReceiver(tooMany)]);
    await account.addEndpoint(receiver.url, { callbackOption: "FINAL" });
    await account.sendSms({ correlationId: "later" });
    await eventually(() => expect(receiver.received.length).toBeGreaterThan(1));
    const [first, second] = receiver.received;
    expect(Number(second?.at) - Number(first?.at)).toBeGreaterThanOrEqual(seconds * 1_000);
  });

  it.concurrent("is asked again where it sends us elsewhere, where nobody is told anything", async () => {
    const elsewhere = await startReceiver();
    const redirect = { status: 307, headers: { location: elsewhere.url } };
    const receiver = await startReceiver(redirect);
    const { ask, path, send, statesOf } = await accountWithEndpoint(receiver.url);
    const id = await send();
    await eventually(async () => expect(await statesOf([id])).toEqual(["delivered"]));
    expect(receiver.received.length).toBeGreaterThan(1);
    expect(elsewhere.received).toEqual([]);
    expect((await ask("GET", path)).body).toMatchObject({ state: "active" });
  });

  it.concurrent("is disabled by its own 410, which its owner is told, and told later what it missed", async () => {
    const receiver = await startReceiver();
    receiver.otherwise = 410;
    const { account, endpointId, ask, path, send, statesOf } = await accountWithEndpoint(
      receiver.url,
    );
    const eventsSoFar = await watchBus(account.name);
    const since = new Date().toISOString();
    const gone = await send();
    await eventually(async () => expect(await statesOf([gone])).toEqual(["failed"]));
    expect(await ask("GET", path)).toMatchObject({
      body: { state: "disabled", disabledReason: "gone", stateAt: expect.any(String) },
    });
    await eventually(async () =>
      expect(await eventsSoFar()).toContainEqual({
        source: "torpedo",
        detailType: "Endpoint Disabled",
        detail: expect.objectContaining({ account: account.name, endpointId, reason: "gone" }),
      }),
    );
    const missed = await send();
    await eventually(async () => expect(await statesOf([missed])).toEqual(["failed"]));
    expect(receiver.distinct).toHaveLength(1);

    receiver.otherwise = 200;
    expect(await ask("POST", `${path}/replay`, { since })).toMatchObject({ status: 409 });
    const enabled = await ask("PUT", `${path}/state`, { state: "active" });
    expect(enabled.body).toMatchObject({ state: "active" });
    expect(enabled.body).not.toHaveProperty("disabledReason");
    expect(await ask("POST", `${path}/replay`, { since })).toMatchObject({ status: 202 });
    await eventually(async () => {
      expect(await statesOf([gone, missed])).toEqual(["delivered", "delivered"]);
    });
    // By the same id as when it was refused.
    expect(receiver.distinct.map(({ body }) => body.id).sort()).toEqual([gone, missed].sort());
  });
});

describe("an endpoint that is paused", () => {
  it.concurrent("is told once it is resumed, and not before", async () => {
    const receiver = await startReceiver();
    const { ask, path, send, statesOf } = await accountWithEndpoint(receiver.url);
    await ask("PUT", `${path}/state`, { state: "paused" });
    const ids = await Promise.all([send(), send()]);
    await eventually(async () => expect(await statesOf(ids)).toEqual(["held", "held"]));
    expect(receiver.received).toEqual([]);
    await ask("PUT", `${path}/state`, { state: "active" });
    const last = await send();
    await eventually(async () => {
      expect(await statesOf([...ids, last])).toEqual(["delivered", "delivered", "delivered"]);
    });
    expect(receiver.distinct.map(({ body }) => body.id).sort()).toEqual([...ids, last].sort());
  });
});
