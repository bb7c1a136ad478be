import { beforeAll, describe, expect, it } from "vitest";
import { eventually } from "./support/eventually.ts";
import { outbox, phoneOfOurOwn, replyFrom, TestAccount } from "./support/stack.ts";

const ok = {
  statusCode: "00",
  statusDescription: "Ok",
  detailCode: "000",
  detailDescription: "Message Sent",
};

describe("the Zenvia-classic API over HTTP", () => {
  let account: TestAccount;
  let phone: string;
  beforeAll(async () => {
    account = await TestAccount.create();
    phone = phoneOfOurOwn();
  });

  const send = (fields: object) =>
    account.post("/services/send-sms", {
      sendSmsRequest: { to: phone, msg: "Olá", ...fields },
    });
  const status = async (id: string) =>
    (await account.request(`/services/get-sms-status/${id}`)).body.getSmsStatusResp;

  it("sends, tells the status, and refuses the same id again", async () => {
    const fields = {
      from: "Remetente",
      schedule: null,
      callbackOption: "NONE",
      id: "z-1",
      aggregateId: 1111,
      flashSms: false,
    };
    expect(await send(fields)).toMatchObject({ status: 201, body: { sendSmsResponse: ok } });
    await eventually(async () =>
      expect(await status("z-1")).toMatchObject({
        id: "z-1",
        shortcode: 27182,
        statusCode: "03",
        detailCode: "120",
      }),
    );
    expect((await outbox.list(phone)).map(({ text }) => text)).toEqual(["Remetente: Olá"]);
    expect(await send(fields)).toMatchObject({
      status: 200,
      body: {
        sendSmsResponse: {
          statusCode: "10",
          statusDescription: "Error",
          detailCode: "080",
          detailDescription: "Message with same ID already sent",
        },
      },
    });
  });

  it("sends many, each with its own schedule, and cancels", async () => {
    const schedule = new Date(Date.now() + 600_000).toISOString();
    const answer = await account.post("/services/send-sms-multiple", {
      sendSmsMultiRequest: {
        aggregateId: 1750,
        sendSmsRequestList: [
          { to: phone, msg: "Primeira", id: "z-2", callbackOption: "NONE" },
          { to: phone, msg: "Segunda", id: "z-3", schedule },
          { to: "x", msg: "Terceira", id: "z-4" },
        ],
      },
    });
    expect(answer.status).toBe(201);
    const list: { detailCode: string }[] = answer.body.sendSmsMultiResponse.sendSmsResponseList;
    expect(list.map(({ detailCode }) => detailCode)).toEqual(["000", "000", "013"]);
    expect(await status("z-3")).toMatchObject({ statusCode: "01", detailCode: "100" });
    const canceled = await account.post("/services/cancel-sms/z-3", "");
    expect(canceled.body).toEqual({
      cancelSmsResp: {
        statusCode: "09",
        statusDescription: "Blocked",
        detailCode: "002",
        detailDescription: "Message successfully canceled",
      },
    });
    await eventually(async () => expect(await status("z-2")).toMatchObject({ statusCode: "03" }));
  });

  it("lists and finds MOs with the id of the message that they answer", async () => {
    const asked = phoneOfOurOwn();
    await send({ to: asked, id: "z-asked" });
    await eventually(async () =>
      expect(await status("z-asked")).toMatchObject({ statusCode: "03" }),
    );
    await replyFrom(asked, "Sim");
    const reply = {
      mobile: asked,
      body: "Sim",
      shortcode: "27182",
      mtId: "z-asked",
      correlatedMessageSmsId: "z-asked",
    };
    await eventually(async () => {
      const { body } = await account.request(
        "/services/received/search/2020-01-01T00:00:00/2099-01-01T00:00:00",
      );
      expect(body.receivedResponse).toMatchObject({ detailCode: "300", receivedMessages: [reply] });
    });
    const { body } = await account.post("/services/received/list", "");
    expect(body.receivedResponse.receivedMessages).toMatchObject([reply]);
  });

  it("answers wrong credentials in the envelope of the operation", async () => {
    const headers = { authorization: `Basic ${btoa(`${account.name}:wrong`)}` };
    const refused = {
      statusCode: "10",
      statusDescription: "Error",
      detailCode: "900",
      detailDescription: "Authentication error",
    };
    for (const [method, path, envelope] of [
      ["POST", "/services/send-sms", "sendSmsResponse"],
      ["POST", "/services/send-sms-multiple", "sendSmsMultiResponse"],
      ["GET", "/services/get-sms-status/x", "getSmsStatusResp"],
      ["POST", "/services/cancel-sms/x", "cancelSmsResp"],
      ["POST", "/services/received/list", "receivedResponse"],
    ] as const) {
      const answer = await account.request(path, { method, headers });
      expect([path, answer.status, answer.body]).toEqual([path, 401, { [envelope]: refused }]);
    }
  });

  it("shares its messages with the Mesago names of the same account", async () => {
    await send({ id: "z-both" });
    expect((await account.status("z-both")).id).toBe("z-both");
  });
});
