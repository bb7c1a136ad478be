import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openDirectory } from "../../bin/directory-client.ts";
import { blockNumber } from "../../functions/core/block-list.ts";
import { MESAGO_DETAIL } from "../../functions/core/codes.ts";
import { changeLimits } from "../../functions/core/usage.ts";
import { eventually } from "./support/eventually.ts";
import { clientConfig, phoneOfOurOwn, replyFrom, stack, TestAccount } from "./support/stack.ts";

const access = openDirectory(stack.outputs, clientConfig);

const produced = { detail: new Set<string>(), status: new Set<string>() };

/** Codes as `03/120`. */
function note(codes: string): string {
  const [status = "", detail = ""] = codes.split("/");
  produced.status.add(status);
  produced.detail.add(detail);
  return codes;
}

const inFuture = (ms: number) => new Date(Date.now() + ms).toISOString();

/** What an answer to a send says of a request's fault. */
const REFUSED: readonly [string, object, string][] = [
  ["no text", { messageText: "" }, "10/010"],
  ["a text that is none", { messageText: 5 }, "10/011"],
  ["half a surrogate pair", { messageText: "\ud83d" }, "10/011"],
  ["a text of 161 characters", { messageText: "x".repeat(161) }, "10/012"],
  ["a number that is too short", { destination: 551990 }, "07/013"],
  ["a destination that is an object", { destination: {} }, "07/013"],
  ["no destination", { destination: "" }, "10/014"],
  ["a schedule in the past", { scheduledDate: "2016-06-08T10:00:00" }, "10/015"],
  ["a schedule in two years", { scheduledDate: inFuture(2 * 366 * 86_400_000) }, "10/015"],
  ["a schedule that is no date", { scheduledDate: "tomorrow" }, "10/015"],
  ["a day that does not exist", { scheduledDate: "2030-02-30T10:00:00" }, "10/015"],
  [
    "an expiry before the schedule",
    { scheduledDate: inFuture(120_000), expiresDate: inFuture(60_000) },
    "10/015",
  ],
  ["an expiry in the past", { expiresDate: "2016-06-10T21:00:00" }, "08/136"],
  ["an empty window", { timeWindow: [] }, "10/015"],
  ["a window at 24 o'clock", { timeWindow: [24] }, "10/015"],
  ["a time zone that does not exist", { timeZone: "America/Atlantis" }, "10/015"],
  ["an id that is too long", { correlationId: "i".repeat(65) }, "10/016"],
  ["an id with a line break", { correlationId: "a\nb" }, "10/135"],
  ["an unknown callback option", { callbackOption: "SOMETIMES" }, "10/170"],
];

/** What becomes of messages to the sandbox's numbers. */
const BECOMES: readonly [string, object, string][] = [
  ["8100", {}, "03/120"],
  ["8199", {}, "02/110"],
  ["8200", {}, "02/111"],
  ["8300", {}, "04/161"],
  ["8301", {}, "04/150"],
  ["8302", {}, "04/145"],
  ["8400", {}, "10/161"],
  ["8401", {}, "05/140"],
  ["8402", {}, "05/141"],
  ["8403", {}, "08/134"],
  ["8404", {}, "07/013"],
  ["8501", {}, "10/160"],
  ["8503", {}, "10/190"],
  ["1111", { scheduledDate: inFuture(600_000) }, "01/100"],
];

describe("every code of the document that can occur", () => {
  let account: TestAccount;
  beforeAll(async () => {
    account = await TestAccount.create();
  });

  const answerOf = async (fields: object, sender = account) => {
    const { status, body } = await sender.sendSms(fields);
    expect(status).toBeLessThan(300);
    const { statusCode, detailCode } = body.sendSmsResponse;
    return note(`${statusCode}/${detailCode}`);
  };

  it.each(REFUSED)("refuses %s", async (_, fields, codes) => {
    expect(await answerOf(fields)).toBe(codes);
  });

  it("tells what becomes of messages", async () => {
    const ids = await Promise.all(
      BECOMES.map(async ([lastFour, fields], index) => {
        const correlationId = `becomes-${index}`;
        const destination = phoneOfOurOwn(lastFour);
        expect(await answerOf({ destination, correlationId, ...fields })).toBe("00/000");
        return correlationId;
      }),
    );
    await eventually(async () => {
      const became = await Promise.all(ids.map((id) => account.codes(id)));
      expect(became).toEqual(BECOMES.map(([, , codes]) => codes));
      became.forEach(note);
    });
  });

  it("tells of duplicates, cancellations, and ids that are unknown or missing", async () => {
    const scheduled = { correlationId: "codes-1", scheduledDate: inFuture(600_000) };
    await answerOf(scheduled);
    expect(await answerOf(scheduled)).toBe("10/080");
    expect(note(await account.cancel("codes-1"))).toBe("09/002");
    expect(note(await account.cancel("codes-1"))).toBe("09/132");
    expect(note(await account.cancel("unknown"))).toBe("10/180");
    expect(note(await account.cancel(""))).toBe("10/021");
    expect(note(await account.codes("unknown"))).toBe("10/180");
    expect(note(await account.codes(""))).toBe("10/021");
  });

  it("tells that a number is blocked, and that a limit is reached", async () => {
    const destination = phoneOfOurOwn();
    await blockNumber(access, account.name, destination);
    expect(await answerOf({ destination })).toBe("06/130");
    const limited = await TestAccount.create();
    await changeLimits(access, { account: limited.name }, { perDay: 1 });
    expect(await answerOf({}, limited)).toBe("00/000");
    expect(await answerOf({}, limited)).toBe("09/990");
  });

  it("tells whether there are MOs", async () => {
    const phone = phoneOfOurOwn();
    await account.sendSms({ destination: phone, correlationId: "codes-mo" });
    await eventually(async () => expect(await account.codes("codes-mo")).toBe("03/120"));
    const list = async () => {
      const { body } = await account.post("/api/received/list", "");
      const { statusCode, detailCode } = body.receivedResponse;
      return note(`${statusCode}/${detailCode}`);
    };
    expect(await list()).toBe("00/301");
    await replyFrom(phone, "Sim");
    await eventually(async () => expect(await list()).toBe("00/300"));
  });

  it.each([
    ["no envelope", "POST", "/api/send-sms", "{}", 400, "172"],
    ["an envelope that is no object", "POST", "/api/send-sms", '{"sendSmsRequest":5}', 400, "170"],
    ["an unknown operation", "POST", "/api/nope", "{}", 404, "998"],
    ["an unknown version", "POST", "/api/send-sms?version=2.0", "{}", 400, "998"],
  ])("answers %s", async (_, method, path, body, status, detailCode) => {
    const headers = { "content-type": "application/json" };
    const answer = await account.request(path, { method, headers, body });
    const codes = answer.body.sendSmsResponse;
    note(`${codes.statusCode}/${codes.detailCode}`);
    expect([answer.status, codes.detailCode]).toEqual([status, detailCode]);
  });

  it("answers wrong credentials", async () => {
    const headers = { authorization: "Basic bm9ib2R5Om5vdGhpbmc=" };
    const { status, body } = await account.request("/api/get-sms-status/id/x", { headers });
    const { statusCode, detailCode } = body.getSmsStatusResp;
    expect([status, note(`${statusCode}/${detailCode}`)]).toEqual([401, "10/900"]);
  });

  afterAll(() => {
    // Only a run of the whole file has produced them all.
    const documented = readFileSync("docs/mesago.md", "utf8");
    const rows = documented.slice(documented.indexOf("## Codes")).matchAll(/^\| (\d{3}) \|/gm);
    const cannotOccur = [...rows].map(([, code]) => code);
    const accountedFor = [...produced.detail, ...cannotOccur, "999"].sort();
    expect(accountedFor).toEqual(Object.keys(MESAGO_DETAIL).sort());
    const statuses = ["00", "01", "02", "03", "04", "05", "06", "07", "08", "09", "10"];
    expect([...produced.status].sort()).toEqual(statuses);
  });
});
