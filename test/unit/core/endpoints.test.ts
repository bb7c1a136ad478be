import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { endpointSchema } from "../../../functions/core/account.ts";
import { ConflictError, InvalidRequestError } from "../../../functions/core/accounts.ts";
import { ENDPOINT_STATES, goodHealth } from "../../../functions/core/endpoint-health.ts";
import {
  addEndpoint,
  changeEndpoint,
  type EndpointChanges,
  type EndpointRequest,
  getEndpoint,
  removeEndpoint,
  rotateEndpointSecret,
  setEndpointState,
} from "../../../functions/core/endpoints.ts";
import { createSubAccount } from "../../../functions/core/sub-accounts.ts";
import { systemRandomness } from "../../../functions/runtime/system.ts";
import { CountingRandomness, ManualClock, MemoryDirectory } from "../../support/memory.ts";
import { MemoryCallbackQueue, MemoryEndpointHealths } from "../../support/memory-callbacks.ts";
import { MemorySubAccounts } from "../../support/memory-customers.ts";
import { sampleAccount, sampleEndpoint } from "../../support/samples.ts";

const HTTPS = { protocols: ["https"], allowLoopback: false };
const LOCAL = { protocols: ["https", "http"], allowLoopback: true };
const URL_OF_ACME = "https://customer.example/status";
const DAY = 86_400_000;

async function newDependencies() {
  const directory = new MemoryDirectory();
  directory.accounts.set("acme", sampleAccount());
  const deps = {
    directory,
    subAccounts: new MemorySubAccounts(),
    endpointHealths: new MemoryEndpointHealths(),
    callbackQueue: new MemoryCallbackQueue(),
    clock: new ManualClock(),
    randomness: new CountingRandomness(),
  };
  await createSubAccount(deps, { account: "acme", subAccount: "sales" });
  return deps;
}

let deps: Awaited<ReturnType<typeof newDependencies>>;
beforeEach(async () => {
  deps = await newDependencies();
});

const add = (request: Partial<EndpointRequest> = {}, policy = HTTPS) =>
  addEndpoint(deps, { account: "acme", url: URL_OF_ACME, ...request }, policy);
const change = (endpointId: string, changes: EndpointChanges, policy = HTTPS) =>
  changeEndpoint(deps, "acme", endpointId, changes, policy);

describe("an endpoint", () => {
  it("is added with a secret of its own, told what endpoints are told by default", async () => {
    const { endpoint, secret } = await add();
    expect(endpointSchema.parse(endpoint)).toEqual({
      version: 1,
      account: "acme",
      endpointId: expect.any(String),
      url: URL_OF_ACME,
      events: ["sent", "delivered", "received"],
      callbackOption: "ALL",
      method: "POST",
      format: "dialect",
      headers: {},
      secrets: [{ secret, createdAt: deps.clock.now() }],
      createdAt: deps.clock.now(),
      revision: 0,
    });
    expect(await deps.directory.listEndpoints("acme")).toEqual([endpoint]);
    expect((await add()).secret).not.toBe(secret);
  });

  it("is added as it is asked for", async () => {
    const request = {
      events: ["any" as const],
      callbackOption: "FINAL" as const,
      subAccount: "sales",
      method: "GET" as const,
      format: "cloudevents" as const,
    };
    const { endpoint } = await add({ ...request, headers: { "X-Key": "1", Authorization: "a" } });
    expect(endpoint).toMatchObject({ ...request, headers: { "x-key": "1", authorization: "a" } });
  });

  it.each([
    "not a url",
    "ftp://customer.example/",
    "javascript:alert(1)",
    "http://customer.example/",
    "https://user:pass@customer.example/",
    "https://user@customer.example/",
    "https://10.0.0.1/",
    "https://127.0.0.1/",
    "https://2130706433/",
    "https://0x7f.1/",
    "https://0177.0.0.1/",
    "https://127.0.0.1./",
    "https://[::1]/",
    "https://[::ffff:10.0.0.1]/",
    "https://169.254.169.254/latest/meta-data",
    "https://[fd00:ec2::254]/",
    "https://100.64.0.1/",
    "https://localhost/",
    "https://LOCALHOST./",
    "https://a.localhost:8443/",
  ])("cannot be at %s, neither from the beginning nor later", async (url) => {
    await expect(add({ url })).rejects.toThrow(InvalidRequestError);
    const { endpoint } = await add();
    await expect(change(endpoint.endpointId, { url })).rejects.toThrow(InvalidRequestError);
    expect(await deps.directory.listEndpoints("acme")).toEqual([endpoint]);
  });

  it.each(["https://10.0.0.1/", "https://[fe80::1]/", "https://169.254.169.254/"])(
    "cannot be at %s where loopback is allowed, either",
    async (url) => {
      await expect(add({ url }, LOCAL)).rejects.toThrow(/no public address/);
    },
  );

  it.each(["http://127.0.0.1:8080/", "http://localhost:8080/", "http://[::1]:8080/"])(
    "can be at %s where the stage allows it",
    async (url) => {
      expect((await add({ url }, LOCAL)).endpoint.url).toBe(url);
      await expect(add({ url }, { ...LOCAL, allowLoopback: false })).rejects.toThrow(
        /no public address/,
      );
    },
  );

  it("says where a user name and password of a URL belong", async () => {
    const refused = add({ url: "https://ana:geheim@customer.example/" });
    await expect(refused).rejects.toThrow(/Authorization/);
    await expect(refused).rejects.not.toThrow(/geheim/);
  });

  it.each<[string, Record<string, string>, RegExp]>([
    ["the host", { Host: "a.example" }, /^headers\.host: this header is not for you to set/],
    ["the signature", { "Webhook-Signature": "v1,x" }, /this header is not for you to set/],
    ["a name with a space", { "a b": "x" }, /^headers\.a b: a header's name is/],
    ["two lines", { "x-key": "a\r\nb: c" }, /^headers\.x-key: a header's value is one line/],
    ["too many", Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`x-${i}`, ""])), /20/],
  ])("has no headers such as %s", async (_, headers, message) => {
    await expect(add({ headers })).rejects.toThrow(message);
  });

  it.each<[string, Partial<EndpointRequest>, RegExp]>([
    ["nothing", { events: [] }, /^events: /],
    ["another's sub-account", { subAccount: "support" }, /has no sub-account "support"/],
    ["nobody's account", { account: "nobody" }, /no account "nobody"/],
  ])("is not told of %s", async (_, request, message) => {
    await expect(add(request)).rejects.toThrow(message);
  });

  it("changes in what is asked, and is as by default where that is null", async () => {
    const { endpoint } = await add({ headers: { "x-a": "1", "x-b": "2" } });
    const changes = {
      url: "https://other.example/",
      events: ["any" as const],
      callbackOption: "NONE" as const,
      subAccount: "sales",
      method: "GET" as const,
      format: "wavy" as const,
    };
    const { endpointId } = endpoint;
    const changed = await change(endpointId, { ...changes, headers: { "X-A": null, "x-c": "3" } });
    expect(changed).toEqual({
      ...endpoint,
      ...changes,
      headers: { "x-b": "2", "x-c": "3" },
      revision: 1,
    });
    expect(await getEndpoint(deps, "acme", endpointId)).toEqual(changed);
    const back = await change(endpointId, {
      events: null,
      callbackOption: null,
      subAccount: null,
      method: null,
      format: null,
      headers: null,
    });
    expect(back).toEqual({ ...endpoint, url: changes.url, headers: {}, revision: 2 });
  });

  it("of before a stage spoke HTTPS only can be changed in all but its URL", async () => {
    const { endpoint } = await add({ url: "http://customer.example/" }, LOCAL);
    const changed = await change(endpoint.endpointId, { events: ["sent"] });
    expect(changed).toMatchObject({ url: endpoint.url, events: ["sent"] });
  });

  it("of before there was signing, formats and headers can be changed", async () => {
    const before = { ...sampleEndpoint(), format: undefined, secrets: undefined };
    deps.directory.endpoints.push(endpointSchema.parse(before));
    const changed = await change("endpoint-1", { format: "mesago" });
    expect(changed).toMatchObject({ format: "mesago", secrets: [], revision: 1 });
  });

  it.each<[string, EndpointChanges, RegExp]>([
    ["no events", { events: [] }, /^events: /],
    ["another's sub-account", { subAccount: "support" }, /no sub-account "support"/],
    ["a wrong header", { headers: { "content-type": "x" } }, /not for you to set/],
  ])("is not changed to %s", async (_, changes, message) => {
    const { endpoint } = await add();
    await expect(change(endpoint.endpointId, changes)).rejects.toThrow(message);
    expect(await getEndpoint(deps, "acme", endpoint.endpointId)).toEqual(endpoint);
  });

  it("is not changed by two at the same time, so that neither undoes the other", async () => {
    const { endpointId } = (await add()).endpoint;
    const results = await Promise.allSettled([
      change(endpointId, { format: "wavy" }),
      rotateEndpointSecret(deps, "acme", endpointId, 0),
    ]);
    expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    const [refused] = results.flatMap((it) => (it.status === "rejected" ? [it.reason] : []));
    expect(refused).toBeInstanceOf(ConflictError);
  });

  it("is nobody else's", async () => {
    deps.directory.accounts.set("other", sampleAccount({ account: "other" }));
    const { endpointId } = (await add()).endpoint;
    const whole = await deps.directory.listEndpoints("acme");
    for (const attempt of [
      () => getEndpoint(deps, "other", endpointId),
      () => changeEndpoint(deps, "other", endpointId, { events: ["any"] }, HTTPS),
      () => rotateEndpointSecret(deps, "other", endpointId, 0),
      () => setEndpointState(deps, "other", endpointId, "active"),
      () => removeEndpoint(deps, "other", endpointId),
    ]) {
      await expect(attempt()).rejects.toThrow(`account "other" has no endpoint ${endpointId}`);
    }
    expect(await deps.directory.listEndpoints("acme")).toEqual(whole);
    expect(deps.callbackQueue.releases).toEqual([]);
  });

  it("is removed with all that is known of how it fares", async () => {
    const { endpoint } = await add();
    await setEndpointState(deps, "acme", endpoint.endpointId, "disabled");
    await removeEndpoint(deps, "acme", endpoint.endpointId);
    expect(await deps.directory.listEndpoints("acme")).toEqual([]);
    expect(await deps.endpointHealths.find(endpoint)).toEqual(goodHealth(endpoint));
    await expect(removeEndpoint(deps, "acme", endpoint.endpointId)).rejects.toThrow(/no endpoint/);
  });
});

describe("the secrets of an endpoint", () => {
  it("are long, random, and written as Standard Webhooks has it", () => {
    const secrets = new Set(Array.from({ length: 20 }, () => systemRandomness.signingSecret()));
    expect(secrets.size).toBe(20);
    for (const secret of secrets) {
      expect(endpointSchema.shape.secrets.parse([{ secret, createdAt: 0 }])).toHaveLength(1);
      const bytes = Buffer.from(secret.slice("whsec_".length), "base64");
      expect(bytes).toHaveLength(32);
      expect(`whsec_${bytes.toString("base64")}`).toBe(secret);
    }
  });

  it("take over from one another, the old one signing for a day beside the new one", async () => {
    const { endpoint, secret: first } = await add();
    const rotate = () => rotateEndpointSecret(deps, "acme", endpoint.endpointId, 1_440);
    const now = deps.clock.now();
    const second = await rotate();
    expect(second.endpoint.secrets).toEqual([
      { secret: second.secret, createdAt: now },
      { secret: first, createdAt: now, validUntil: now + DAY },
    ]);
    deps.clock.advance(DAY);
    const third = await rotate();
    expect(third.endpoint.secrets.map(({ secret }) => secret)).toEqual([
      third.secret,
      second.secret,
    ]);
  });

  it("end at once where nothing is to overlap", async () => {
    const { endpoint } = await add();
    const rotated = await rotateEndpointSecret(deps, "acme", endpoint.endpointId, 0);
    expect(rotated.endpoint.secrets.map(({ secret }) => secret)).toEqual([rotated.secret]);
  });

  it("are made for endpoints that had none", async () => {
    deps.directory.endpoints.push(sampleEndpoint());
    const { endpoint, secret } = await rotateEndpointSecret(deps, "acme", "endpoint-1", 1_440);
    expect(endpoint.secrets).toEqual([{ secret, createdAt: deps.clock.now() }]);
  });

  it("are three at most, whatever is rotated when; an old one never lives longer for it", async () => {
    const steps = fc.array(
      fc.record({ after: fc.nat(2 * DAY), overlap: fc.constantFrom(0, 1, 60, 1_440, 10_000) }),
      { minLength: 1, maxLength: 8 },
    );
    await fc.assert(
      fc.asyncProperty(steps, async (rotations) => {
        deps = await newDependencies();
        const { endpoint, secret } = await add();
        const ends = new Map([[secret, Number.POSITIVE_INFINITY]]);
        for (const { after, overlap } of rotations) {
          deps.clock.advance(after);
          const now = deps.clock.now();
          const rotated = await rotateEndpointSecret(deps, "acme", endpoint.endpointId, overlap);
          const { secrets } = rotated.endpoint;
          expect(secrets[0]).toEqual({ secret: rotated.secret, createdAt: now });
          expect(secrets.length).toBeLessThanOrEqual(3);
          for (const { secret, validUntil = Number.NaN } of secrets.slice(1)) {
            expect(validUntil).toBeGreaterThan(now);
            expect(validUntil).toBeLessThanOrEqual(now + overlap * 60_000);
            expect(validUntil).toBeLessThanOrEqual(ends.get(secret) ?? Number.NaN);
            ends.set(secret, validUntil);
          }
          ends.set(rotated.secret, Number.POSITIVE_INFINITY);
        }
      }),
    );
  });
});

describe("the state of an endpoint", () => {
  const FAILING = {
    state: "disabled",
    disabledReason: "failing",
    stateAt: 5,
    toldAt: 6,
    failures: 3,
    openings: 2,
    openUntil: 7,
    failingSince: 1,
    lastFailureAt: 4,
  } as const;
  const set = (state: (typeof ENDPOINT_STATES)[number]) =>
    setEndpointState(deps, "acme", "endpoint-1", state);
  const health = () => deps.endpointHealths.find(sampleEndpoint());

  beforeEach(() => {
    deps.directory.endpoints.push(sampleEndpoint());
  });

  async function isFailing() {
    const read = await health();
    await deps.endpointHealths.update(read, { ...read, ...FAILING, revision: read.revision + 1 });
  }

  it.each(ENDPOINT_STATES)("is %s once that is asked for", async (state) => {
    const { endpoint, health: answered } = await set(state);
    expect(endpoint).toEqual(sampleEndpoint());
    expect(answered).toEqual(await health());
    expect(answered).toMatchObject({ state, stateAt: deps.clock.now() });
    expect(answered.disabledReason).toBe(state === "disabled" ? "by-hand" : undefined);
  });

  it("is active again without a memory of failures", async () => {
    await isFailing();
    await set("active");
    expect(await health()).toEqual({
      ...goodHealth(sampleEndpoint()),
      stateAt: deps.clock.now(),
      revision: 2,
    });
  });

  it.each(["active", "disabled"] as const)(
    "lets what was held go on when it is %s, and once more what was seen late",
    async (state) => {
      await set("paused");
      expect(deps.callbackQueue.releases).toEqual([]);
      await set(state);
      const job = { kind: "release", account: "acme", endpointId: "endpoint-1", state: "held" };
      const now = deps.clock.now();
      expect(deps.callbackQueue.releases).toEqual([
        { job: { ...job, since: 0, until: now + 5_000 }, delaySeconds: 5 },
        { job: { ...job, since: now - 60_000, until: now + 90_000 }, delaySeconds: 90 },
      ]);
    },
  );

  it("stays paused where what is held cannot be let go on, so that it is asked for again", async () => {
    await set("paused");
    deps.callbackQueue.refuses = true;
    await expect(set("active")).rejects.toThrow(/away/);
    await expect(set("disabled")).rejects.toThrow(/away/);
    expect(await health()).toMatchObject({ state: "paused" });
  });

  it("is not paused where it is disabled, and keeps the reason for that", async () => {
    await isFailing();
    await expect(set("paused")).rejects.toThrow(/enable it first/);
    await set("disabled");
    expect(await health()).toMatchObject(FAILING);
  });

  it("is not moved by being asked for twice", async () => {
    const { health: paused } = await set("paused");
    deps.clock.advance(1_000);
    expect((await set("paused")).health).toEqual(paused);
  });

  it.each([1, 4])("is set although others change the health %i times meanwhile", async (times) => {
    race(times);
    expect((await set("paused")).health).toMatchObject({ state: "paused", revision: times + 1 });
  });

  it("is left to those who change the health all the time", async () => {
    race(100);
    await expect(set("paused")).rejects.toThrow(ConflictError);
    expect(await health()).toMatchObject({ state: "active" });
  });

  /** Somebody notes a failure between every look and every change, so many times. */
  function race(times: number) {
    const healths = deps.endpointHealths;
    const update = healths.update.bind(healths);
    let failures = 0;
    healths.update = async (read, changed) => {
      if (failures < times) {
        failures++;
        await update(read, { ...read, failures, revision: read.revision + 1 });
      }
      return update(read, changed);
    };
  }
});
