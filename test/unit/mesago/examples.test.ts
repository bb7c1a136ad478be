import { describe, expect, it } from "vitest";
import { dispatchMessage } from "../../../functions/core/dispatch-message.ts";
import { ALWAYS } from "../../../functions/core/time.ts";
import {
  LONG_SMS_EXAMPLE,
  SEND_SMS_EXAMPLES,
  SEND_SMS_MULTIPLE_EXAMPLES,
} from "../../support/mesago-examples.ts";
import { sampleMessage, sampleMo } from "../../support/samples.ts";
import { dispatchDependencies, WillingCarrier } from "../core/support.ts";
import { contentOf, detailsOf, listOf, OK, TestApi } from "./support.ts";

const SEND = "/api/send-sms";
const MULTIPLE = "/api/send-sms-multiple";
const LONG = LONG_SMS_EXAMPLE.sendSmsRequest.messageText;

/** As JSON, because clients see the order of fields, too. */
const json = (value: unknown) => JSON.stringify(value);

describe("the document's examples of send-sms", () => {
  it("1 is accepted, and told which id it has", async () => {
    const api = new TestApi();
    const response = await api.post(SEND, SEND_SMS_EXAMPLES[1]);
    expect(response.status).toBe(201);
    expect(json(response.body)).toBe(json({ sendSmsResponse: { ...OK, id: "uuid-1" } }));
    expect(await api.stored("uuid-1")).toMatchObject({
      destination: "5519900001111",
      text: "Hello, I am a simple message",
      flash: false,
      state: "QUEUED",
    });
    expect(api.dispatchQueue.entries).toMatchObject([{ notBefore: api.clock.now() }]);
  });

  it("2 is accepted, and answered with the document's four fields and no others", async () => {
    const api = new TestApi();
    const response = await api.post(SEND, SEND_SMS_EXAMPLES[2]);
    expect(response.status).toBe(201);
    expect(json(response.body)).toBe(json({ sendSmsResponse: OK }));
    expect(await api.stored("myId")).toMatchObject({
      extraInfo: '{"name": "Bob"}',
      window: { hours: [11, 12, 18, 19, 20, 21], timeZone: "America/Sao_Paulo" },
      state: "QUEUED",
      // The hour at 12 is followed by a closed one.
      claimableUntil: Date.parse("2026-03-02T13:00:00-03:00"),
    });
  });

  it("2 waits for its window where that is closed", async () => {
    const api = new TestApi({ now: "2026-03-02T16:30:00Z" });
    await api.post(SEND, SEND_SMS_EXAMPLES[2]);
    expect(await api.status("myId")).toMatchObject({
      body: { getSmsStatusResp: { statusCode: "01", detailCode: "100" } },
    });
    const opening = Date.parse("2026-03-02T18:00:00-03:00");
    expect(api.dispatchQueue.entries).toMatchObject([{ notBefore: opening }]);
  });

  it("3 is long past, and refused for its schedule", async () => {
    const api = new TestApi();
    const response = await api.post(SEND, SEND_SMS_EXAMPLES[3]);
    expect(response).toMatchObject({
      status: 200,
      body: {
        sendSmsResponse: {
          statusCode: "10",
          statusDescription: "Error",
          detailCode: "015",
          detailDescription: "Scheduling date invalid or incorrect",
        },
      },
    });
    expect(await api.stored("myId")).toBeUndefined();
  });

  it("3 was accepted the day before, and handed over when its window opened", async () => {
    const api = new TestApi({ now: "2016-06-07T12:00:00Z", account: { timeZone: "Asia/Tokyo" } });
    const response = await api.post(SEND, SEND_SMS_EXAMPLES[3]);
    expect(response.status).toBe(201);
    expect(json(response.body)).toBe(json({ sendSmsResponse: OK }));
    // Scheduled for ten in São Paulo, when the window is closed; it opens at eleven for two hours.
    const opening = Date.parse("2016-06-08T11:00:00-03:00");
    expect(await api.stored("myId")).toMatchObject({
      state: "SCHEDULED",
      window: { hours: [11, 12, 18, 19, 20, 21], timeZone: "America/Sao_Paulo" },
      claimableFrom: opening,
      claimableUntil: Date.parse("2016-06-08T13:00:00-03:00"),
      expiresAt: Date.parse("2016-06-10T21:00:00-03:00"),
    });
    const entries = [...api.dispatchQueue.entries];
    expect(entries).toMatchObject([{ notBefore: opening }]);
    expect(await api.status("myId")).toMatchObject({
      body: {
        getSmsStatusResp: { statusCode: "01", statusDescription: "Scheduled", detailCode: "100" },
      },
    });

    const carrier = new WillingCarrier();
    const dispatch = async () => {
      for (const { ref } of entries) {
        await dispatchMessage(dispatchDependencies({ ...api, carrier }), ref);
      }
    };
    api.clock.time = opening - 1;
    await dispatch();
    expect(carrier.handedOver).toEqual([]);
    api.clock.time = opening;
    await dispatch();
    expect(carrier.handedOver).toMatchObject([
      { destination: "5519900001111", text: "Hello, I am a message" },
    ]);
  });

  it("3 has expired where it was sent after its expiry", async () => {
    const api = new TestApi({ now: "2016-06-11T00:00:00Z" });
    const { scheduledDate: _, ...fields } = SEND_SMS_EXAMPLES[3].sendSmsRequest;
    expect(contentOf(await api.post(SEND, { sendSmsRequest: fields }))).toEqual({
      statusCode: "08",
      statusDescription: "Blocked",
      detailCode: "136",
      detailDescription: "Message expired",
    });
  });

  it("4 is accepted as a flash message", async () => {
    const api = new TestApi();
    const response = await api.post(SEND, SEND_SMS_EXAMPLES[4]);
    expect(response.status).toBe(201);
    expect(json(response.body)).toBe(json({ sendSmsResponse: OK }));
    expect(await api.stored("myId")).toMatchObject({ flash: true });
  });

  it("the long one is accepted in three parts", async () => {
    const api = new TestApi({ account: { longMessages: true } });
    expect(await api.post(SEND, LONG_SMS_EXAMPLE)).toMatchObject({
      status: 201,
      body: {
        sendSmsResponse: {
          parts: ["myId_001", "myId_002", "myId_003"].map((partId) => ({ partId })),
        },
      },
    });
    const stored = await api.stored("myId");
    expect(stored).toMatchObject({ text: LONG, callbackOption: "NONE" });
    expect(stored?.parts).toHaveLength(3);
  });

  it("the long one is answered to the letter under the id of the answer", async () => {
    const api = new TestApi({ account: { longMessages: true } });
    const fields = { ...LONG_SMS_EXAMPLE.sendSmsRequest, correlationId: "idteste" };
    const response = await api.post(SEND, { sendSmsRequest: fields });
    expect(json(response.body)).toBe(
      json({
        sendSmsResponse: {
          statusCode: "00",
          statusDescription: "Ok",
          detailCode: "000",
          detailDescription: "Message Sent",
          parts: [
            { partId: "idteste_001", order: 1 },
            { partId: "idteste_002", order: 2 },
            { partId: "idteste_003", order: 3 },
          ],
        },
      }),
    );
  });

  it("the long one is refused for accounts that are not enabled", async () => {
    expect(contentOf(await new TestApi().post(SEND, LONG_SMS_EXAMPLE))).toEqual({
      statusCode: "10",
      statusDescription: "Error",
      detailCode: "012",
      detailDescription: "Message content overflow",
    });
  });
});

describe("the document's examples of send-sms-multiple", () => {
  it("1 is accepted, with the default text where a message has none", async () => {
    const api = new TestApi();
    const response = await api.post(MULTIPLE, SEND_SMS_MULTIPLE_EXAMPLES[1]);
    expect(response.status).toBe(201);
    const ids = listOf(response).map(({ id }) => String(id));
    expect(listOf(response)).toEqual(ids.map((id) => ({ ...OK, id })));
    const stored = await Promise.all(ids.map((id) => api.stored(id)));
    expect(stored.map((it) => [it?.destination, it?.text])).toEqual([
      ["5519900001111", "First message"],
      ["5519900002222", "Default message"],
      ["5519900003333", "Default message"],
    ]);
  });

  it("2 is long past, and refused for its schedule, each message by itself", async () => {
    const api = new TestApi();
    const response = await api.post(MULTIPLE, SEND_SMS_MULTIPLE_EXAMPLES[2]);
    expect(response.status).toBe(200);
    expect(detailsOf(response)).toEqual(["015", "015"]);
  });

  it("2 was accepted the day before, and scheduled for when its window opens", async () => {
    const api = new TestApi({ now: "2017-01-27T12:00:00Z", account: { timeZone: "Asia/Tokyo" } });
    const response = await api.post(MULTIPLE, SEND_SMS_MULTIPLE_EXAMPLES[2]);
    expect(response.status).toBe(201);
    const ids = listOf(response).map(({ id }) => String(id));
    // It is summer there; half past two is before the window's first hour.
    const opening = Date.parse("2017-01-28T12:00:00-02:00");
    for (const [index, id] of ids.entries()) {
      expect(await api.stored(id)).toMatchObject({
        text: ["First message", "Default message"][index],
        state: "SCHEDULED",
        window: { hours: [12, 15, 20], timeZone: "America/Sao_Paulo" },
        claimableFrom: opening,
        claimableUntil: Date.parse("2017-01-28T13:00:00-02:00"),
      });
    }
    expect(api.batchQueue.schedules).toMatchObject([{ due: opening }]);
  });

  it("3 is accepted, all of them flash messages", async () => {
    const api = new TestApi();
    const response = await api.post(MULTIPLE, SEND_SMS_MULTIPLE_EXAMPLES[3]);
    expect(response.status).toBe(201);
    for (const { id } of listOf(response)) {
      expect(await api.stored(String(id))).toMatchObject({ flash: true, text: "Default message" });
    }
  });

  it("the long one is accepted, each message in three parts", async () => {
    const api = new TestApi({ account: { longMessages: true } });
    const response = await api.post(MULTIPLE, SEND_SMS_MULTIPLE_EXAMPLES.long);
    expect(response.status).toBe(201);
    expect(listOf(response)).toHaveLength(2);
    for (const { id, parts } of listOf(response)) {
      const partIds = ["001", "002", "003"].map((order) => `${id}_${order}`);
      expect(parts).toEqual(partIds.map((partId, index) => ({ partId, order: index + 1 })));
    }
  });

  it("the long one's answer is ours to the letter, of a long message and a short one", async () => {
    const api = new TestApi({ account: { longMessages: true } });
    const response = await api.post(MULTIPLE, {
      sendSmsMultiRequest: {
        messages: [
          { destination: "5519900001111", correlationId: "idteste1", messageText: LONG },
          { destination: "5519900002222", correlationId: "idteste2" },
        ],
        defaultValues: { messageText: "Default message" },
      },
    });
    expect(json(response.body)).toBe(
      json({
        sendSmsMultiResponse: {
          sendSmsResponseList: [
            {
              statusCode: "00",
              statusDescription: "Ok",
              detailCode: "000",
              detailDescription: "Message Sent",
              parts: [
                { partId: "idteste1_001", order: 1 },
                { partId: "idteste1_002", order: 2 },
                { partId: "idteste1_003", order: 3 },
              ],
            },
            {
              statusCode: "00",
              statusDescription: "Ok",
              detailCode: "000",
              detailDescription: "Message Sent",
              parts: [{ partId: "idteste2", order: 1 }],
            },
          ],
        },
      }),
    );
  });

  it("the one with ids is answered to the letter", async () => {
    const api = new TestApi();
    const response = await api.post(MULTIPLE, SEND_SMS_MULTIPLE_EXAMPLES.withIds);
    expect(response.status).toBe(201);
    expect(json(response.body)).toBe(
      json({ sendSmsMultiResponse: { sendSmsResponseList: [OK, OK] } }),
    );
    expect(await api.stored("0001")).toMatchObject({ destination: "5519900001111", flash: true });
    expect(await api.stored("0002")).toMatchObject({ destination: "5519900002222", flash: true });
    expect((await api.stored("0001"))?.claimableUntil).toBe(ALWAYS);
  });
});

describe("the document's other answers", () => {
  it("are ours to the letter: of a status", async () => {
    const api = new TestApi({ now: "2014-08-23T02:01:23-03:00" });
    await api.messages.insert(
      sampleMessage(api.clock.now(), {
        id: "006",
        state: "DELIVERED",
        operator: "claro",
        shortCode: "69788",
      }),
    );
    const response = await api.status("006");
    expect(response.status).toBe(200);
    expect(json(response.body)).toBe(
      json({
        getSmsStatusResp: {
          id: "006",
          received: "2014-08-23T02:01:23",
          shortcode: 69788,
          mobileOperatorName: "claro",
          statusCode: "03",
          statusDescription: "Delivered",
          detailCode: "120",
          detailDescription: "Message received by mobile",
        },
      }),
    );
  });

  it.each(["list", "search"])(
    "are ours to the letter: of received/%s, beside the text and the id of what it answers",
    async (operation) => {
      const account = { operatorOfMo: true };
      const api = new TestApi({ now: "2014-08-22T14:49:36-03:00", account });
      await api.mos.insert(
        sampleMo(api.clock.now(), {
          id: 23190501,
          from: "5511991070316",
          shortCode: "30133",
          answers: { id: "hs863223748", traceId: "trace-1" },
        }),
      );
      const response =
        operation === "list"
          ? await api.call({ path: "/api/received/list" })
          : await api.get("/api/received/search/2014-08-22T00:00:00/2014-08-22T23:59:59");
      expect(response.status).toBe(200);
      const { receivedMessages, ...codes } = contentOf(response);
      expect(json(codes)).toBe(
        json({
          statusCode: "00",
          statusDescription: "Ok",
          detailCode: "300",
          detailDescription: "Received messages found",
        }),
      );
      expect(receivedMessages).toEqual([
        {
          id: 23190501,
          dateReceived: "2014-08-22T14:49:36",
          mobile: "5511991070316",
          shortcode: "30133",
          mobileOperatorName: "Claro",
          correlationId: "hs863223748",
          body: "Sim",
          correlatedMessageSmsId: "hs863223748",
        },
      ]);
    },
  );

  it("are ours to the letter: of a cancellation", async () => {
    const api = new TestApi();
    await api.sendSms({ correlationId: "004", scheduledDate: "2026-03-02T12:10:00" });
    const response = await api.cancel("004");
    expect(response.status).toBe(200);
    expect(json(response.body)).toBe(
      json({
        cancelSmsResp: {
          statusCode: "09",
          statusDescription: "Blocked",
          detailCode: "002",
          detailDescription: "Message successfully canceled",
        },
      }),
    );
  });
});
