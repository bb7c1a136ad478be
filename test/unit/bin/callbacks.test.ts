import { beforeEach, describe, expect, it } from "vitest";
import type { Delivery } from "../../../functions/core/callback-delivery.ts";
import { turnOf } from "../../../functions/core/deliver-callbacks.ts";
import { sampleDelivery, sampleEndpoint } from "../../support/samples.ts";
import { newAccess, runCommand } from "./support.ts";

let access: ReturnType<typeof newAccess>;
beforeEach(() => {
  access = newAccess();
});

const run = (line: string) => runCommand(access, line);
// biome-ignore lint/suspicious/noExplicitAny: what programs get is what is being tested.
const json = async (line: string): Promise<any> => (await run(line)).json;
const lines = async (line: string) => (await run(line)).lines;

const OF_ACME = "--account acme";
const ENDPOINT = `${OF_ACME} --endpoint endpoint-1`;

describe("endpoint", () => {
  it("is added with headers and a secret, of which only the secret is shown, and once", async () => {
    const report = await run(
      `endpoint add ${OF_ACME} --url https://a.example --format cloudevents --events any --header 'Authorization: Bearer x:y' --header 'X-Key: geheim'`,
    );
    const { secret, ...shown } = report.json as { secret: string; endpointId: string };
    expect(shown).toMatchObject({
      format: "cloudevents",
      events: ["any"],
      headers: ["authorization", "x-key"],
      state: "active",
      secrets: [{ createdAt: expect.any(String) }],
    });
    expect(report.lines).toEqual([
      `${shown.endpointId}  https://a.example  any  ALL  as cloudevents`,
      `secret  ${secret}`,
      expect.stringMatching(/this once/),
    ]);
    expect(access.directory.endpoints[0]).toMatchObject({
      headers: { authorization: "Bearer x:y", "x-key": "geheim" },
      secrets: [{ secret }],
    });
    for (const command of [
      `endpoint show ${OF_ACME} --endpoint ${shown.endpointId}`,
      `endpoint list ${OF_ACME}`,
      `account show ${OF_ACME}`,
    ]) {
      const told = JSON.stringify(await run(command));
      expect(told).toContain(shown.endpointId);
      expect(told).not.toMatch(new RegExp(`whsec_|${secret}|Bearer|geheim`));
    }
  });

  it("shows no secrets of a sub-account's endpoints, either", async () => {
    await run(`sub-account create ${OF_ACME} --sub-account sales`);
    await run(
      `endpoint add ${OF_ACME} --url https://a.example --sub-account sales --header 'a: geheim'`,
    );
    const shown = await json(`sub-account show ${OF_ACME} --sub-account sales`);
    expect(shown.endpoints).toMatchObject([{ url: "https://a.example", headers: ["a"] }]);
    expect(JSON.stringify(shown)).not.toMatch(/whsec_|geheim/);
  });

  describe("that there is", () => {
    beforeEach(() => {
      access.directory.endpoints.push(sampleEndpoint({ headers: { "x-a": "1" } }));
    });

    it("is changed in what is named", async () => {
      await run(`sub-account create ${OF_ACME} --sub-account sales`);
      const changed = await json(
        `endpoint set ${ENDPOINT} --url https://b.example --events sent,any --callback-option FINAL --format wavy --method GET --sub-account sales --header 'x-b: 2' --header 'X-C: 3' --remove-header X-A`,
      );
      expect(changed).toMatchObject({
        url: "https://b.example",
        events: ["sent", "any"],
        callbackOption: "FINAL",
        format: "wavy",
        method: "GET",
        subAccount: "sales",
        headers: ["x-b", "x-c"],
      });
      const back = await json(`endpoint set ${ENDPOINT} --no-sub-account --format dialect`);
      expect(back).toMatchObject({ format: "dialect", events: ["sent", "any"] });
      expect(back).not.toHaveProperty("subAccount");
      expect(back.headers).toEqual(["x-b", "x-c"]);
    });

    it("gets a new secret, the old one signing for a day", async () => {
      const first = await json(`endpoint rotate-secret ${ENDPOINT}`);
      const second = await json(`endpoint rotate-secret ${ENDPOINT}`);
      expect(second.secret).not.toBe(first.secret);
      const [, old] = second.secrets;
      expect(Date.parse(old.validUntil) - access.clock.now()).toBe(86_400_000);
      expect(
        (await json(`endpoint rotate-secret ${ENDPOINT} --overlap-minutes 0`)).secrets,
      ).toHaveLength(1);
    });

    it("is paused and resumed, disabled and enabled", async () => {
      expect(await lines(`endpoint pause ${ENDPOINT}`)).toEqual([
        expect.stringMatching(/^endpoint-1 {2}.* {2}paused since 2026-03-02T15:00:01Z$/),
      ]);
      expect(await json(`endpoint resume ${ENDPOINT}`)).toMatchObject({ state: "active" });
      expect(access.callbackQueue.releases).toHaveLength(2);
      expect(await lines(`endpoint disable ${ENDPOINT}`)).toEqual([
        expect.stringMatching(/ {2}disabled since .* {2}by-hand$/),
      ]);
      await expect(run(`endpoint pause ${ENDPOINT}`)).rejects.toThrow(/enable it first/);
      expect(await lines(`endpoint enable ${ENDPOINT}`)).toEqual([
        expect.not.stringContaining("since"),
        expect.stringMatching(/callbacks replay/),
      ]);
    });

    it("shows how it fares", async () => {
      const read = await access.endpointHealths.find(sampleEndpoint());
      const now = access.clock.now();
      await access.endpointHealths.update(read, {
        ...read,
        failingSince: now,
        openUntil: now + 60_000,
        revision: 1,
      });
      expect(await lines(`endpoint list ${OF_ACME}`)).toEqual([
        expect.stringMatching(
          / {2}failing since 2026-03-02T15:00:00Z {2}not called until 2026-03-02T15:01:00Z$/,
        ),
      ]);
    });

    it("is removed", async () => {
      await run(`endpoint remove ${ENDPOINT}`);
      expect(await lines(`endpoint list ${OF_ACME}`)).toEqual(["The account has no endpoints."]);
    });
  });
});

describe("callbacks", () => {
  beforeEach(() => {
    access.directory.endpoints.push(sampleEndpoint());
  });

  const insert = (overrides: Partial<Delivery> = {}) =>
    access.deliveries.insert(sampleDelivery(access.clock.now(), overrides));

  it("are listed newest first, and where to go on", async () => {
    expect(await lines(`callbacks list ${OF_ACME}`)).toEqual(["There are no callbacks."]);
    for (const subject of ["a", "b", "c"]) {
      access.clock.advance(1_000);
      await insert({ subject, state: "failed", cause: "HTTP 500\u001b[2J" });
    }
    const listed = await lines(`callbacks list ${OF_ACME} --limit 2`);
    expect(listed).toEqual([
      expect.stringMatching(/^endpoint-1_c_sent {2}.* {2}failed {2}0 attempts {2}HTTP 500\?\[2J$/),
      expect.stringMatching(/^endpoint-1_b_sent/),
      expect.stringMatching(/^Older ones come with --before 2026-/),
    ]);
    const before = listed.at(-1)?.split(" ").at(-1);
    const older = await json(
      `callbacks list ${ENDPOINT} --state failed --limit 2 --before ${before}`,
    );
    expect(older.callbacks).toMatchObject([{ callbackId: "endpoint-1_a_sent", state: "failed" }]);
    expect(older).not.toHaveProperty("next");
    expect(await json(`callbacks list ${OF_ACME} --state held`)).toEqual({ callbacks: [] });
  });

  it("are shown whole, without moving the terminal's cursor", async () => {
    const answer = "\u001b[2J\u009b2Joops\r\nmore";
    await insert({ attempts: [{ at: 0, durationMs: 7, status: 500, answer }] });
    const shown = await run(`callbacks show ${OF_ACME} --callback endpoint-1_trace-1_sent`);
    expect(shown.json).toMatchObject({ attempts: [{ durationMs: 7, status: 500, answer }] });
    expect(shown.lines.join("")).toMatch(/oops/);
    expect(shown.lines.join("")).not.toMatch(/\p{C}/u);
    expect(JSON.stringify(shown.json)).toContain("5519900001111");
  });

  it("are replayed one by one", async () => {
    const delivery = await insert({ state: "failed" });
    const line = `callbacks replay ${OF_ACME} --callback endpoint-1_trace-1_sent`;
    expect(await lines(line)).toEqual([expect.stringMatching(/ {2}pending {2}0 attempts$/)]);
    expect(access.callbackQueue.later).toMatchObject([{ turn: turnOf(delivery) }]);
  });

  it("are replayed to an endpoint since a time", async () => {
    const line = `callbacks replay ${ENDPOINT} --since 2026-03-02T09:00:00-03:00`;
    expect(await json(line)).toEqual({
      endpointId: "endpoint-1",
      since: "2026-03-02T12:00:00.000Z",
    });
    expect(access.callbackQueue.releases).toMatchObject([
      { job: { state: "failed", since: Date.parse("2026-03-02T12:00:00Z") } },
    ]);
  });

  it("are replayed to all endpoints, since a time or since ever", async () => {
    access.directory.endpoints.push(sampleEndpoint({ endpointId: "endpoint-2" }));
    await run(`endpoint disable ${ENDPOINT}`);
    access.callbackQueue.releases.length = 0;
    const since = "2026-03-02T12:00:00Z";
    expect(await json(`callbacks replay ${OF_ACME} --since ${since}`)).toEqual({
      endpointIds: ["endpoint-2"],
    });
    expect(await lines(`callbacks replay ${OF_ACME}`)).toEqual([
      "endpoint-2  what has failed is being told again",
    ]);
    expect(access.callbackQueue.releases.map(({ job }) => [job.endpointId, job.since])).toEqual([
      ["endpoint-2", Date.parse(since)],
      ["endpoint-2", 0],
    ]);
    await run(`endpoint disable ${OF_ACME} --endpoint endpoint-2`);
    expect(await lines(`callbacks replay ${OF_ACME}`)).toEqual([
      expect.stringMatching(/no endpoint that is not disabled/),
    ]);
  });

  it("are replayed from the dead letters, everybody's or an account's", async () => {
    for (const account of ["acme", "other"]) {
      access.callbackDeadLetters.put(
        JSON.stringify({ account, endpointId: "x", subject: "x", level: "sent", turn: 0 }),
      );
    }
    access.callbackDeadLetters.put("?");
    const answer = { replayed: 0, resent: 0, dropped: 1, left: 0, more: false };
    expect(await json(`callbacks replay ${OF_ACME} --dead-letters`)).toEqual(answer);
    access.clock.advance(60_000);
    expect(await lines("callbacks replay --dead-letters")).toEqual([
      "0 told again, 0 events begun anew, 1 with nothing left to do, 1 left where they are",
    ]);
  });

  it.each<[string, Partial<Delivery>, RegExp[]]>([
    [
      "delivered",
      { attempts: [{ at: 0, durationMs: 7, status: 200, answer: "ok\u001b[2J" }] },
      [/ {2}delivered {2}1 attempt$/, /^HTTP 200 after 7 ms$/, /^ok\?\[2J$/],
    ],
    [
      "failed",
      { attempts: [{ at: 0, durationMs: 10_000, failure: "timeout" }], cause: "timeout" },
      [/ {2}failed {2}1 attempt {2}timeout$/, /^timeout after 10000 ms$/],
    ],
  ] as const)("tests wait for what becomes of them: %s", async (state, change, expected) => {
    const { pause } = access;
    let looks = 0;
    access.pause = async (ms) => {
      await pause(ms);
      const [turn] = access.callbackQueue.turns;
      if (turn && ++looks === 3) {
        await access.deliveries.record(turn, { ...change, state: state as Delivery["state"] });
      }
    };
    const told = await lines(`callbacks test ${ENDPOINT}`);
    expect(told).toEqual(expected.map((pattern) => expect.stringMatching(pattern)));
    expect(looks).toBe(3);
  });

  it("tests are not waited for for ever", async () => {
    const begunAt = access.clock.now();
    const told = await run(`callbacks test ${ENDPOINT}`);
    expect(told.lines).toEqual([
      expect.stringMatching(/^endpoint-1_test-uuid-\d+_test {2}.* {2}pending {2}0 attempts$/),
      expect.stringMatching(/still on its way/),
    ]);
    expect(told.json).toMatchObject({ level: "test", state: "pending" });
    expect(access.clock.now() - begunAt).toBeLessThan(17_000);
  });
});

describe.each([
  [`endpoint add ${OF_ACME} --url https://10.0.0.1`, /no public address/],
  [`endpoint add ${OF_ACME} --url https://a:b@a.example`, /Authorization/],
  [`endpoint add ${OF_ACME} --url https://a.example --events read`, /some of sent,delivered/],
  [`endpoint add ${OF_ACME} --url https://a.example --format xml`, /Allowed choices are dialect/],
  [`endpoint add ${OF_ACME} --url https://a.example --header x`, /a name, a colon and a value/],
  [`endpoint add ${OF_ACME} --url https://a.example --header 'Host: x'`, /not for you to set/],
  [`endpoint set ${ENDPOINT}`, /nothing to set/],
  [`endpoint show ${ENDPOINT}`, /account "acme" has no endpoint endpoint-1/],
  [`endpoint pause ${ENDPOINT}`, /has no endpoint/],
  [`callbacks list --account nobody`, /no account "nobody"/],
  [`callbacks list ${ENDPOINT}`, /has no endpoint/],
  [`callbacks list ${OF_ACME} --limit 201`, /from 1 to 200/],
  [`callbacks list ${OF_ACME} --before yesterday`, /a time such as/],
  [`callbacks list ${OF_ACME} --before 2026-13-45`, /a time such as/],
  [`callbacks list ${OF_ACME} --state lost`, /Allowed choices are pending/],
  [`callbacks show ${OF_ACME} --callback x`, /has no callback x/],
  ["callbacks replay --account nobody", /no account "nobody"/],
  ["callbacks replay", /--account says it/],
  [`callbacks replay ${ENDPOINT}`, /--since says it/],
  ["callbacks replay --dead-letters --since 2026-03-02", /cannot be used with/],
  ["callbacks replay --callback x", /--account says it/],
  [`callbacks replay ${ENDPOINT} --callback x`, /cannot be used with/],
  [`callbacks replay ${OF_ACME} --dead-letters --callback x`, /cannot be used with/],
  [`callbacks replay ${ENDPOINT} --dead-letters`, /cannot be used with/],
  [`callbacks test ${ENDPOINT}`, /has no endpoint/],
])("%s", (line, message) => {
  it("says what is wrong", async () => {
    await expect(run(line)).rejects.toThrow(message);
  });
});
