import { describe, expect, it } from "vitest";
import { canonical, MESAGO, ZENVIA } from "../../../functions/mesago/naming.ts";
import { codesOf, contentOf, detailsOf, type Fields, OK, TestApi } from "./support.ts";

const SEND = "/services/send-sms";
const MULTIPLE = "/services/send-sms-multiple";
const sms = { to: "5519900001111", msg: "Olá" };

describe("the Zenvia-classic API", () => {
  it("takes every field by its own name", async () => {
    const api = new TestApi();
    const sendSmsRequest = {
      from: "Remetente",
      to: "5519900001111",
      schedule: "2026-03-03T14:15:00",
      msg: "Olá",
      callbackOption: "NONE",
      id: "002",
      aggregateId: 1111,
      flashSms: false,
      timeWindow: [14],
      expiresDate: "2026-03-04T00:00:00",
    };
    const response = await api.post(SEND, { sendSmsRequest });
    expect(response).toMatchObject({ status: 201 });
    expect(response.body).toEqual({ sendSmsResponse: OK });
    expect(await api.stored("002")).toMatchObject({
      dialect: "zenvia",
      destination: "5519900001111",
      text: "Remetente: Olá",
      callbackOption: "NONE",
      extraInfo: "1111",
      flash: false,
      state: "SCHEDULED",
      claimableFrom: Date.parse("2026-03-03T14:15:00-03:00"),
      claimableUntil: Date.parse("2026-03-03T15:00:00-03:00"),
      expiresAt: Date.parse("2026-03-04T00:00:00-03:00"),
    });
  });

  it("takes many by its own name of the list, with an aggregator for all", async () => {
    const api = new TestApi();
    const response = await api.post(MULTIPLE, {
      sendSmsMultiRequest: {
        aggregateId: 1750,
        sendSmsRequestList: [
          { ...sms, id: "one" },
          { ...sms, id: "two", aggregateId: "other" },
          { id: "three" },
        ],
        defaultValues: { to: "5519900002222", msg: "Oi", flashSms: "true" },
      },
    });
    expect(response).toMatchObject({ status: 201 });
    expect(detailsOf(response)).toEqual(["000", "000", "000"]);
    expect(await api.stored("one")).toMatchObject({ dialect: "zenvia", extraInfo: "1750" });
    expect(await api.stored("two")).toMatchObject({ text: "Olá", extraInfo: "other" });
    expect(await api.stored("three")).toMatchObject({
      destination: "5519900002222",
      text: "Oi",
      flash: true,
      extraInfo: "1750",
    });
  });

  it("takes a message by GET", async () => {
    const api = new TestApi();
    const query = { ...sms, id: "by-get", aggregateId: "7", flashSms: "true", version: "1.0" };
    expect(await api.get(SEND, { query })).toMatchObject({ status: 201 });
    expect(await api.stored("by-get")).toMatchObject({
      dialect: "zenvia",
      text: "Olá",
      extraInfo: "7",
      flash: true,
    });
  });

  it("answers a repeated id, and wrong credentials, as its clients expect", async () => {
    const api = new TestApi();
    await api.post(SEND, { sendSmsRequest: { ...sms, id: "id" } });
    const again = await api.post(SEND, { sendSmsRequest: { ...sms, id: "id" } });
    expect(again.status).toBe(200);
    expect(JSON.stringify(again.body)).toBe(
      '{"sendSmsResponse":{"statusCode":"10","statusDescription":"Error","detailCode":"080",' +
        '"detailDescription":"Message with same ID already sent"}}',
    );
    const headers = { authorization: "Basic bm9ib2R5Om5vdGhpbmc=" };
    const refused = await api.post(SEND, { sendSmsRequest: sms }, { headers });
    expect(refused.status).toBe(401);
    expect(JSON.stringify(refused.body)).toBe(
      '{"sendSmsResponse":{"statusCode":"10","statusDescription":"Error","detailCode":"900",' +
        '"detailDescription":"Authentication error"}}',
    );
  });

  it("does not tell an id of ours, because its clients refuse fields that they do not know", async () => {
    const api = new TestApi();
    expect((await api.post(SEND, { sendSmsRequest: sms })).body).toEqual({ sendSmsResponse: OK });
    expect((await api.get(SEND, { query: sms })).body).toEqual({ sendSmsResponse: OK });
    const sendSmsMultiRequest = { sendSmsRequestList: [sms, sms] };
    expect((await api.post(MULTIPLE, { sendSmsMultiRequest })).body).toEqual({
      sendSmsMultiResponse: { sendSmsResponseList: [OK, OK] },
    });
    expect(await api.stored(api.lastUuid)).toMatchObject({ text: "Olá" });
  });

  it("shares ids and messages with the Mesago names of the same account", async () => {
    const api = new TestApi();
    await api.sendSms({ correlationId: "shared", scheduledDate: "2026-03-03T10:00:00" });
    expect(codesOf(await api.sendSms({ correlationId: "shared" }, "zenvia"))).toBe("10/080");
    expect(codesOf(await api.status("shared", "zenvia"))).toBe("01/100");
    expect(codesOf(await api.cancel("shared", "zenvia"))).toBe("09/002");
    expect(codesOf(await api.cancel("shared"))).toBe("09/132");
  });

  it("answers Mesago's paths under its own base, which have `id/` before the id, for ids", async () => {
    const api = new TestApi();
    await api.sendSms({ correlationId: "x" });
    expect(contentOf(await api.get("/services/get-sms-status/id/x"))).toMatchObject({
      id: "id/x",
      detailCode: "180",
    });
  });

  it.each([
    ["GET", "/api/get-sms-status/x"],
    ["POST", "/api/cancel-sms/x"],
    ["POST", "/services/soap"],
    ["GET", "/services/soap"],
  ])(
    "has paths that the other dialect has not, and the other way round: %s %s",
    async (method, path) => {
      const response = await new TestApi().call({ method, path, query: { wsdl: "" } });
      expect(response).toMatchObject({
        status: 404,
        body: { sendSmsResponse: { statusCode: "10", detailCode: "998" } },
      });
    },
  );

  it("has names that mean nothing under /api", async () => {
    const api = new TestApi();
    const single = await api.post("/api/send-sms", { sendSmsRequest: sms });
    expect(codesOf(single)).toBe("10/014");
    const many = await api.post("/api/send-sms-multiple", {
      sendSmsMultiRequest: { sendSmsRequestList: [sms] },
    });
    expect([many.status, codesOf(many)]).toEqual([400, "10/172"]);
    await api.sendSms({
      correlationId: "chosen",
      id: "not-chosen",
      aggregateId: "7",
      flashSms: true,
    });
    const stored = await api.stored("chosen");
    expect(stored).toMatchObject({ flash: false });
    expect(stored?.extraInfo).toBeUndefined();
  });
});

describe("canonical", () => {
  const named = (fields: Fields, naming = ZENVIA) => {
    const renamed = canonical(fields, naming);
    return Object.fromEntries(Object.entries(renamed).filter(([, value]) => value !== undefined));
  };

  it.each([
    ["to", "destination"],
    ["msg", "messageText"],
    ["id", "correlationId"],
    ["schedule", "scheduledDate"],
    ["expiryDate", "expiresDate"],
    ["scheduleDate", "scheduledDate"],
    ["aggregateId", "extraInfo"],
    ["flashSms", "flashSMS"],
    ["sendSmsRequestList", "messages"],
  ])("calls Zenvia's %s our %s", (theirs, ours) => {
    expect(named({ [theirs]: "x" })).toMatchObject({ [ours]: "x" });
  });

  it("calls both of Mesago's spellings of a schedule the same, and nothing else", () => {
    expect(named({ scheduleDate: "x" }, MESAGO)).toMatchObject({ scheduledDate: "x" });
    const fields = { to: 1, msg: 2, id: 3, schedule: 4, aggregateId: 5, flashSms: 6 };
    expect(named(fields, MESAGO)).toEqual(fields);
  });

  it("has our name count where both are given, unless it is given null", () => {
    expect(named({ to: "theirs", destination: "ours" }).destination).toBe("ours");
    expect(named({ to: "theirs", destination: "" }).destination).toBe("");
    expect(named({ to: "theirs", destination: null }).destination).toBe("theirs");
    expect(named({ flashSms: true, flashSMS: false }).flashSMS).toBe(false);
  });

  it("leaves what it is given as it is", () => {
    const fields = Object.freeze({ to: "x" });
    named(fields);
    expect(fields).toEqual({ to: "x" });
  });

  it("reads no name out of a prototype, neither JavaScript's nor the client's", () => {
    const fields = JSON.parse(
      '{"__proto__":{"to":"x","destination":"x"},"constructor":{"to":"x"}}',
    );
    const renamed = canonical(fields, ZENVIA);
    expect(renamed.destination).toBeUndefined();
    expect(Object.getPrototypeOf(renamed)).toBe(Object.prototype);
    expect(Object.hasOwn(Object.prototype, "to")).toBe(false);
  });
});
