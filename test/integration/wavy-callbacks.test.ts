import { randomInt } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, describe, expect, it } from "vitest";
import { CallbackReceiver } from "./support/callback-receiver.ts";
import { eventually } from "./support/eventually.ts";
import { phoneOfOurOwn, replyFrom } from "./support/stack.ts";
import { TestWavyAccount } from "./support/wavy-account.ts";

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;
const UTC_DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
const CARRIER = { carrierId: expect.any(Number), carrierName: expect.stringMatching(/^[A-Z]+$/) };

const stops: (() => void)[] = [];
afterAll(() => {
  for (const stop of stops) stop();
});

/** A customer's server, and what was posted to it about a message. */
async function startReceiver() {
  const receiver = await CallbackReceiver.start();
  stops.push(() => receiver.stop());
  const bodies = () => receiver.distinct.map(({ body }) => body);
  return {
    url: receiver.url,
    bodies,
    about: (id: string) => bodies().filter((body) => body.id === id),
  };
}

/** A customer's server that is told in the query of its URL. */
async function startQueryReceiver() {
  const queries: URLSearchParams[] = [];
  const server = createServer(({ method, url = "" }, response) => {
    if (method === "GET") queries.push(new URL(url, "http://localhost").searchParams);
    response.writeHead(method === "GET" ? 200 : 405).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  stops.push(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/mo?key=a%20b`, queries };
}

/** Sends a message. @returns its id */
async function send(account: TestWavyAccount, ...message: Parameters<TestWavyAccount["send"]>) {
  const { status, body } = await account.send(...message);
  expect({ status, body }).toMatchObject({ status: 200, body: [{ id: expect.any(String) }] });
  return body[0].id as string;
}

describe("callbacks of Wavy", () => {
  it("go to a URL for each level, in the document's shapes", async () => {
    const [account, callbacks, reports] = await Promise.all([
      TestWavyAccount.create(),
      startReceiver(),
      startReceiver(),
    ]);
    await account.addEndpoint(callbacks.url, { events: ["sent"] });
    await account.addEndpoint(reports.url, { events: ["delivered"] });
    const id = await send(account, { correlationId: "client-id", extraInfo: "x" });
    const inBoth = {
      id,
      correlationId: "client-id",
      ...CARRIER,
      destination: "5519900001111",
      sentStatusCode: 2,
      sentStatus: "SENT_SUCCESS",
      sentAt: expect.any(Number),
      sentDate: expect.stringMatching(UTC_DATE),
      extraInfo: "x",
    };
    await eventually(() => {
      expect(callbacks.about(id)).toEqual([inBoth]);
      expect(reports.about(id)).toEqual([
        {
          ...inBoth,
          sentStatusAt: expect.any(Number),
          sentStatusDate: expect.stringMatching(UTC_DATE),
          deliveredStatusCode: 4,
          deliveredStatus: "DELIVERED_SUCCESS",
          deliveredAt: expect.any(Number),
          deliveredDate: expect.stringMatching(UTC_DATE),
        },
      ]);
    });
  });

  it("tell nothing of the phone where there is nothing to tell", async () => {
    const [account, callbacks, reports] = await Promise.all([
      TestWavyAccount.create(),
      startReceiver(),
      startReceiver(),
    ]);
    await account.addEndpoint(callbacks.url, { events: ["sent"] });
    await account.addEndpoint(reports.url, { events: ["delivered"] });
    const { body } = await account.sendBulk({
      messages: ["5519900008200", "5519900008400", "123", "5519900008300"].map((destination) => ({
        destination,
      })),
      defaultValues: { messageText: "Hello" },
    });
    const ids: string[] = body.messages.map(({ id }: { id: string }) => id);
    await eventually(() => {
      const told = ids.map((id) => callbacks.about(id).map(({ sentStatus }) => sentStatus));
      expect(told).toEqual([
        ["SENT_SUCCESS"],
        ["REJECTED_BY_CARRIER"],
        ["INVALID_DESTINATION_NUMBER"],
        ["SENT_SUCCESS"],
      ]);
      expect(reports.bodies()).toMatchObject([
        { id: ids[3], deliveredStatusCode: 104, deliveredStatus: "NOT_DELIVERED" },
      ]);
    });
  });

  it("are one for each message where the endpoint wants the final ones", async () => {
    const [account, receiver] = await Promise.all([TestWavyAccount.create(), startReceiver()]);
    await account.addEndpoint(receiver.url, { callbackOption: "FINAL" });
    const [delivered, withoutReceipt] = await Promise.all([
      send(account),
      send(account, { destination: "5519900008200" }),
    ]);
    await eventually(() => {
      expect(receiver.about(delivered)).toMatchObject([
        { sentStatusCode: 2, deliveredStatusCode: 4 },
      ]);
      expect(receiver.about(withoutReceipt)).toMatchObject([{ sentStatusCode: 2 }]);
    });
    expect(receiver.about(withoutReceipt)[0]).not.toHaveProperty("deliveredStatusCode");
  });

  it("are told to a sub-account's endpoint of that sub-account only", async () => {
    const [account, everything, sales] = await Promise.all([
      TestWavyAccount.create(),
      startReceiver(),
      startReceiver(),
    ]);
    await account.addSubAccount("Sales");
    await account.addEndpoint(everything.url);
    await account.addEndpoint(sales.url, { subAccount: "Sales" });
    const ids = await Promise.all([
      send(account, { subAccount: "Sales" }, "admin"),
      send(account),
      send(account, {}, "admin"),
    ]);
    await eventually(() => {
      expect(ids.map((id) => everything.about(id).length)).toEqual([2, 2, 2]);
      expect(ids.map((id) => sales.about(id).length)).toEqual([2, 0, 0]);
    });
  });
});

describe("MOs to Wavy's clients", () => {
  it("are forwarded by POST and by GET, in the document's shape", async () => {
    const [account, posted, gotten] = await Promise.all([
      TestWavyAccount.create(),
      startReceiver(),
      startQueryReceiver(),
    ]);
    await account.addEndpoint(posted.url, { events: ["delivered", "received"] });
    await account.addEndpoint(gotten.url, { events: ["received"], method: "GET" });
    const phone = phoneOfOurOwn();
    const id = await send(account, { destination: phone, correlationId: "1876" });
    await eventually(() => expect(posted.about(id)).toHaveLength(1));
    await replyFrom(phone, "Eu quero pizza & ☺");

    const [mo] = await eventually(() => {
      const mos = posted.bodies().filter((body) => body.source === phone);
      expect(mos).toHaveLength(1);
      expect(gotten.queries).toHaveLength(1);
      return mos;
    });
    const { username, email } = account.users.regular;
    expect(mo).toEqual({
      id: expect.stringMatching(UUID),
      subAccount: "Marketing",
      carrierId: expect.any(Number),
      carrierName: "CLARO",
      source: phone,
      shortCode: "27182",
      messageText: "Eu quero pizza & ☺",
      receivedAt: expect.any(Number),
      receivedDate: expect.stringMatching(UTC_DATE),
      mt: { id, correlationId: "1876", username, email },
    });
    const { mt: _, carrierId, receivedAt, ...texts } = mo;
    expect(Object.fromEntries(gotten.queries[0] ?? [])).toEqual({
      key: "a b",
      ...texts,
      carrierId: String(carrierId),
      receivedAt: String(receivedAt),
      mtId: id,
      mtCorrelationId: "1876",
      mtUsername: username,
      mtEmail: email,
    });
  });

  it("that answer no message come without one, and to no sub-account", async () => {
    const shortCode = String(randomInt(100_000, 999_999));
    const [account, everything, marketing] = await Promise.all([
      TestWavyAccount.create({ moDialect: "wavy", shortCodes: [shortCode] }),
      startReceiver(),
      startReceiver(),
    ]);
    await account.addEndpoint(everything.url);
    await account.addEndpoint(marketing.url, { subAccount: "Marketing" });
    const phone = phoneOfOurOwn();
    await replyFrom(phone, "Oi", { shortCode });
    await eventually(() => {
      expect(everything.bodies()).toEqual([
        {
          id: expect.stringMatching(UUID),
          carrierId: expect.any(Number),
          carrierName: "CLARO",
          source: phone,
          shortCode,
          messageText: "Oi",
          receivedAt: expect.any(Number),
          receivedDate: expect.stringMatching(UTC_DATE),
        },
      ]);
    });
    expect(marketing.bodies()).toEqual([]);
  });
});
