import { describe, expect, it } from "vitest";
import { getCallback } from "../../functions/core/callback-records.ts";
import { callAdmin } from "./support/admin-api.ts";
import { receiversOfTests } from "./support/callback-receiver.ts";
import { adminJson } from "./support/command-line.ts";
import { eventually } from "./support/eventually.ts";
import { callbacks, TestAccount } from "./support/stack.ts";
import { TestWavyAccount } from "./support/wavy-account.ts";

const startReceiver = receiversOfTests();

const EXACT_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
/** The most of an answer that is kept. */
const KEPT_BYTES = 1_024;

describe("what endpoints were told", () => {
  it.concurrent("is there for operators, attempt by attempt, and is told again", async () => {
    const answer = { status: 503, body: "sorry ".repeat(500) };
    const [account, receiver] = await Promise.all([TestAccount.create(), startReceiver(answer)]);
    const { endpoint } = await account.addEndpoint(receiver.url, { callbackOption: "FINAL" });
    const { endpointId } = endpoint;
    const { body } = await account.sendSms({});
    const { id } = body.sendSmsResponse;
    const callbackId = `${endpointId}_${id}_delivered`;
    await eventually(async () =>
      expect(await getCallback(callbacks, account.name, callbackId)).toMatchObject({
        state: "delivered",
      }),
    );
    const ofAccount = ["--account", account.name];
    const shown = await adminJson("callbacks", "show", ...ofAccount, "--callback", callbackId);
    const made = { at: expect.stringMatching(EXACT_TIME), durationMs: expect.any(Number) };
    expect(shown).toMatchObject({
      callbackId,
      level: "delivered",
      messageId: id,
      state: "delivered",
      attemptCount: 2,
      attempts: [
        { ...made, status: 503, answer: answer.body.slice(0, KEPT_BYTES) },
        { ...made, status: 200, answer: "" },
      ],
      event: { state: "DELIVERED", account: account.name },
    });

    const delivered = ["--endpoint", endpointId, "--state", "delivered"];
    const listed = await adminJson("callbacks", "list", ...ofAccount, ...delivered);
    expect(listed.callbacks).toMatchObject([{ callbackId, state: "delivered" }]);
    const toldBefore = receiver.received.length;
    const replayed = await adminJson("callbacks", "replay", ...ofAccount, "--callback", callbackId);
    expect(replayed).toMatchObject({ callbackId, state: "pending" });
    await eventually(() => expect(receiver.received.length).toBeGreaterThan(toldBefore));
    const [first] = receiver.received;
    const last = receiver.received.at(-1);
    expect(last?.headers["webhook-id"]).toBe(callbackId);
    expect(last?.raw).toBe(first?.raw);
  });

  it.concurrent("is there for administrators of the account, and for nobody else", async () => {
    const [account, stranger, receiver] = await Promise.all([
      TestWavyAccount.create(),
      TestWavyAccount.create(),
      startReceiver(),
    ]);
    const ask = (method: string, path: string) => callAdmin(account, method, path);
    const { endpoint } = await account.addEndpoint(receiver.url, { events: ["delivered"] });
    const { body } = await account.send();
    const callback = await eventually(async () => {
      const { callbacks } = (await ask("GET", "/callbacks?state=delivered")).body;
      expect(callbacks).toMatchObject([{ messageId: body[0].id, attemptCount: 1 }]);
      return `/callbacks/${callbacks[0].callbackId}`;
    });
    expect((await ask("GET", callback)).body).toMatchObject({
      endpointId: endpoint.endpointId,
      attempts: [{ status: 200, answer: "" }],
      event: { destination: "5519900001111" },
    });
    expect(await callAdmin(stranger, "GET", callback)).toMatchObject({ status: 404 });
    expect(await callAdmin(stranger, "POST", `${callback}/replay`)).toMatchObject({ status: 404 });
    expect((await callAdmin(stranger, "GET", "/callbacks")).body).toEqual({ callbacks: [] });

    expect(await ask("POST", `${callback}/replay`)).toMatchObject({
      status: 202,
      body: { state: "pending" },
    });
    await eventually(async () =>
      expect((await ask("GET", callback)).body).toMatchObject({
        state: "delivered",
        attemptCount: 2,
      }),
    );
  });
});

describe("a test", () => {
  it.concurrent("shows an operator what the endpoint answers, whatever its state", async () => {
    const [account, receiver] = await Promise.all([
      TestWavyAccount.create(),
      startReceiver({ status: 418, body: "I am a teapot" }),
    ]);
    const { endpoint } = await account.addEndpoint(receiver.url);
    const path = `/endpoints/${endpoint.endpointId}`;
    await callAdmin(account, "PUT", `${path}/state`, { state: "paused" });
    const ofEndpoint = ["--account", account.name, "--endpoint", endpoint.endpointId];
    const tested = await adminJson("callbacks", "test", ...ofEndpoint);
    expect(tested).toMatchObject({
      level: "test",
      state: "failed",
      cause: "HTTP 418",
      attempts: [{ status: 418, answer: "I am a teapot", durationMs: expect.any(Number) }],
    });
    expect(receiver.distinct).toMatchObject([
      {
        body: { callbackMtRequest: { status: "02" } },
        headers: { "webhook-id": tested.callbackId },
      },
    ]);
  });

  it.concurrent("is begun by an administrator, who sees what kept it from being answered", async () => {
    const [account, receiver] = await Promise.all([TestWavyAccount.create(), startReceiver()]);
    const { endpoint } = await account.addEndpoint(receiver.url);
    receiver.stop();
    const path = `/endpoints/${endpoint.endpointId}/test`;
    const begun = await callAdmin(account, "POST", path);
    const { callbackId } = begun.body;
    expect(begun).toMatchObject({ status: 202, location: `/admin/v1/callbacks/${callbackId}` });
    await eventually(async () =>
      expect((await callAdmin(account, "GET", `/callbacks/${callbackId}`)).body).toMatchObject({
        state: "failed",
        cause: "ECONNREFUSED",
        attempts: [{ failure: "ECONNREFUSED", durationMs: expect.any(Number) }],
      }),
    );
  });
});
