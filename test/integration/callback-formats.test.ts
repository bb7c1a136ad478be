import { CloudEvent, HTTP } from "cloudevents";
import { Webhook } from "standardwebhooks";
import { describe, expect, it } from "vitest";
import { callAdmin } from "./support/admin-api.ts";
import { type ReceivedCallback, receiversOfTests } from "./support/callback-receiver.ts";
import { eventually } from "./support/eventually.ts";
import { phoneOfOurOwn, replyFrom, TestAccount } from "./support/stack.ts";
import { TestWavyAccount } from "./support/wavy-account.ts";

const startReceiver = receiversOfTests();

/** What a customer does with a request, before it believes it. @throws where it is not ours */
const verify = (secret: string, callback: Partial<ReceivedCallback> = {}) =>
  new Webhook(secret).verify(callback.raw ?? "", callback.headers ?? {});

describe("a callback's signature", () => {
  it.concurrent("is one that its receiver can verify, in Mesago's words", async () => {
    const [account, receiver] = await Promise.all([TestAccount.create(), startReceiver()]);
    const { endpoint, secret } = await account.addEndpoint(receiver.url);
    const { body } = await account.sendSms({ messageText: "Olá ☺" });
    const { id } = body.sendSmsResponse;
    await eventually(() => expect(receiver.statusesOf(id)).toContain("03/120"));
    for (const callback of receiver.received) {
      expect(verify(secret, callback)).toEqual(callback.body);
      expect(() => verify(secret, { ...callback, raw: `${callback.raw} ` })).toThrow();
      const level = callback.body.callbackMtRequest.status === "03" ? "delivered" : "sent";
      expect(callback.headers).toMatchObject({
        "webhook-id": `${endpoint.endpointId}_${id}_${level}`,
        "user-agent": "Torpedo",
      });
    }
  });

  it.concurrent("is that of the endpoint's own secret, also of an empty body, in Wavy's words", async () => {
    const [account, posted, gotten] = await Promise.all([
      TestWavyAccount.create(),
      startReceiver(),
      startReceiver(),
    ]);
    const byPost = await account.addEndpoint(posted.url, { events: ["delivered", "received"] });
    const byGet = await account.addEndpoint(gotten.url, { events: ["received"], method: "GET" });
    const phone = phoneOfOurOwn();
    await account.send({ destination: phone });
    await eventually(() => expect(posted.distinct).toHaveLength(1));
    await replyFrom(phone, "Eu quero pizza");
    await eventually(() => {
      expect(posted.distinct).toHaveLength(2);
      expect(gotten.distinct).toHaveLength(1);
    });
    const [[report, mo], [query]] = [posted.distinct, gotten.distinct];
    expect(verify(byPost.secret, report)).toMatchObject({ deliveredStatus: "DELIVERED_SUCCESS" });
    expect(verify(byPost.secret, mo)).toMatchObject({ messageText: "Eu quero pizza" });
    expect(query).toMatchObject({ method: "GET", raw: "" });
    expect(() => verify(byGet.secret, query)).not.toThrow();
    expect(() => verify(byPost.secret, query)).toThrow();
  });

  it.concurrent("is there twice while a secret is being rotated out, and once when it is", async () => {
    const [account, receiver] = await Promise.all([TestWavyAccount.create(), startReceiver()]);
    const { endpoint, secret: first } = await account.addEndpoint(receiver.url);
    const path = `/endpoints/${endpoint.endpointId}`;
    const tell = async () => {
      const { callbackId } = (await callAdmin(account, "POST", `${path}/test`)).body;
      return eventually(() => {
        const told = receiver.received.find(({ headers }) => headers["webhook-id"] === callbackId);
        expect(told).toBeDefined();
        return told;
      });
    };
    const rotate = async (body?: object): Promise<string> => {
      const rotated = await callAdmin(account, "POST", `${path}/secret`, body);
      expect(rotated).toMatchObject({ status: 200 });
      return rotated.body.secret;
    };
    const second = await rotate();
    const both = await eventually(async () => {
      const told = await tell();
      expect(told?.headers["webhook-signature"]?.split(" ")).toHaveLength(2);
      return told;
    });
    expect(verify(second, both)).toEqual(verify(first, both));

    const third = await rotate({ overlapMinutes: 0 });
    // For a moment, functions remember the endpoint as it was.
    const one = await eventually(async () => {
      const told = await tell();
      expect(told?.headers["webhook-signature"]?.split(" ")).toHaveLength(1);
      return told;
    });
    expect(verify(third, one)).toEqual(one?.body);
    expect(() => verify(first, one)).toThrow();
    expect(() => verify(second, one)).toThrow();
  });
});

describe("an account's endpoints", () => {
  it.concurrent("are each told in the words that it wants, with the headers that it wants", async () => {
    const account = await TestAccount.create();
    const headers = { Authorization: "Basic YTpi", "X-Key": "s3cret" };
    const receivers = await Promise.all(
      (["dialect", "mesago", "zenvia", "wavy"] as const).map(async (format) => {
        const receiver = await startReceiver();
        await account.addEndpoint(receiver.url, { format, headers, events: ["delivered"] });
        return receiver;
      }),
    );
    await account.sendSms({ correlationId: "formats" });
    await eventually(() => {
      for (const { distinct } of receivers) expect(distinct).toHaveLength(1);
    });
    const inMesagosWords = { callbackMtRequest: { id: "formats", status: "03" } };
    const sent = { authorization: "Basic YTpi", "x-key": "s3cret" };
    expect(receivers.map(({ distinct }) => distinct[0])).toMatchObject([
      { headers: sent, body: inMesagosWords },
      { headers: sent, body: inMesagosWords },
      { headers: sent, body: inMesagosWords },
      { headers: sent, body: { id: "formats", deliveredStatusCode: 4 } },
    ]);
  });

  it.concurrent("are each told of the sub-account and the events that it is for, and of no other", async () => {
    const [account, received, sales, all] = await Promise.all([
      TestWavyAccount.create(),
      startReceiver(),
      startReceiver(),
      startReceiver(),
    ]);
    await account.addSubAccount("Sales");
    await account.addEndpoint(received.url, { events: ["received"] });
    await account.addEndpoint(sales.url, { events: ["any"], subAccount: "Sales" });
    await account.addEndpoint(all.url, { events: ["delivered", "received"] });
    const phone = phoneOfOurOwn();
    const { body } = await account.send({ destination: phone });
    await eventually(() => expect(all.distinct).toHaveLength(1));
    await replyFrom(phone, "Oi");
    await eventually(() => {
      expect(received.distinct).toMatchObject([{ body: { source: phone } }]);
      expect(all.distinct).toMatchObject([
        { body: { id: body[0].id } },
        { body: { source: phone } },
      ]);
    });
    const bySales = await account.send({ subAccount: "Sales" }, "admin");
    await eventually(() => {
      expect(sales.distinct).toMatchObject([
        { body: { id: bySales.body[0].id, sentStatus: "SENT_SUCCESS" } },
        { body: { id: bySales.body[0].id, deliveredStatus: "DELIVERED_SUCCESS" } },
      ]);
    });
    expect(received.distinct).toHaveLength(1);
  });

  it.concurrent("are told of events that the CloudEvents SDK reads", async () => {
    const [account, receiver] = await Promise.all([TestWavyAccount.create(), startReceiver()]);
    const { secret } = await account.addEndpoint(receiver.url, {
      format: "cloudevents",
      events: ["any"],
    });
    const phone = phoneOfOurOwn();
    await account.send({ destination: phone });
    await eventually(() => expect(receiver.distinct).toHaveLength(2));
    await replyFrom(phone, "Oi");
    await eventually(() => expect(receiver.distinct).toHaveLength(3));
    const events = receiver.distinct.map((callback) => {
      expect(callback.contentType).toBe("application/cloudevents+json; charset=utf-8");
      verify(secret, callback);
      const event = HTTP.toEvent({ headers: callback.headers, body: callback.raw });
      if (!(event instanceof CloudEvent)) throw new Error("there are many in one");
      expect(event.validate()).toBe(true);
      return event;
    });
    const type = "torpedo.message.status-changed";
    expect(events).toMatchObject([
      { type, data: { state: "SENT", destination: phone, carrier: "sandbox" } },
      { type, data: { state: "DELIVERED", previousState: "SENT" } },
      { type: "torpedo.message.received", data: { from: phone, text: "Oi" } },
    ]);
    for (const { source, id } of events) {
      expect(source).toBe(`/torpedo/accounts/${account.name}`);
      expect(id).toMatch(/\S/);
    }
  });
});
