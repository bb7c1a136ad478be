import { BasicAuthSecurity, type Client, createClientAsync } from "soap";
import { beforeAll, describe, expect, it } from "vitest";
import { LONG_SMS_EXAMPLE } from "../support/mesago-examples.ts";
import { eventually } from "./support/eventually.ts";
import { phoneOfOurOwn, replyFrom, stack, TestAccount } from "./support/stack.ts";

const ENDPOINT = `${stack.apiUrl}/api/soap`;

/** A client generated from the WSDL by a library that knows nothing of ours. */
async function clientOf(account: TestAccount): Promise<Client> {
  // The WSDL names the host that it was asked for at; an emulator's API has a path before ours.
  const client = await createClientAsync(
    `${ENDPOINT}?wsdl`,
    { preserveWhitespace: true },
    ENDPOINT,
  );
  client.setSecurity(new BasicAuthSecurity(account.name, account.password));
  return client;
}

const post = (account: TestAccount, body: string, contentType = "text/xml; charset=utf-8") =>
  fetch(ENDPOINT, {
    method: "POST",
    headers: { authorization: account.authorization, "content-type": contentType },
    body,
  });

const envelope = (content: string) =>
  `<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>${content}</e:Body></e:Envelope>`;

describe("SOAP, by a client generated from the WSDL", () => {
  let account: TestAccount;
  let client: Client;

  /** Calls an operation: its answer's fields. */
  // biome-ignore lint/suspicious/noExplicitAny: what comes over the wire is what is being tested.
  async function call(operation: string, fields: object): Promise<any> {
    const [answer] = await client[`${operation}Async`](fields);
    return answer;
  }
  const codesOf = async (id: string) => {
    const { statusCode, detailCode } = await call("getSmsStatus", { id });
    return `${statusCode}/${detailCode}`;
  };

  beforeAll(async () => {
    account = await TestAccount.create({ longMessages: true });
    client = await clientOf(account);
  });

  it("describes the six operations", () => {
    expect(Object.keys(client.describe().MesagoSms.MesagoSmsPort).sort()).toEqual([
      "cancelSms",
      "getSmsStatus",
      "receivedList",
      "receivedSearch",
      "sendSms",
      "sendSmsMultiple",
    ]);
  });

  it("sends a message and tells its status", async () => {
    const fields = {
      destination: phoneOfOurOwn(),
      messageText: "Olá <b>& até</b> 😀",
      correlationId: "soap/1",
      timeWindow: Array.from({ length: 24 }, (_, hour) => hour),
      flashSMS: true,
    };
    expect(await call("sendSms", fields)).toEqual({
      statusCode: "00",
      statusDescription: "Ok",
      detailCode: "000",
      detailDescription: "Message Sent",
    });
    await eventually(async () => expect(await codesOf("soap/1")).toBe("03/120"));
    expect(await call("sendSms", fields)).toMatchObject({ statusCode: "10", detailCode: "080" });
    expect(await codesOf("nope")).toBe("10/180");
  });

  it("sends many, long ones among them, and cancels one", async () => {
    const { sendSmsResponseList } = await call("sendSmsMultiple", {
      messages: [
        { destination: "5519900001111", correlationId: "soap-2" },
        { destination: "5519900001111", messageText: LONG_SMS_EXAMPLE.sendSmsRequest.messageText },
        { destination: "1" },
        {},
      ],
      defaultValues: { messageText: "Default message" },
      scheduledDate: new Date(Date.now() + 600_000).toISOString(),
    });
    const codes = sendSmsResponseList.map(({ detailCode }: { detailCode: string }) => detailCode);
    expect(codes).toEqual(["000", "000", "013", "014"]);
    expect(sendSmsResponseList[1].parts).toHaveLength(3);
    expect(await codesOf("soap-2")).toBe("01/100");
    expect(await call("cancelSms", { id: "soap-2" })).toMatchObject({ detailCode: "002" });
    expect(await call("cancelSms", { id: "soap-2" })).toMatchObject({ detailCode: "132" });
  });

  it("lists and finds MOs", async () => {
    const phone = phoneOfOurOwn();
    await call("sendSms", { destination: phone, messageText: "Vem?", correlationId: "soap-3" });
    await eventually(async () => expect(await codesOf("soap-3")).toBe("03/120"));
    await replyFrom(phone, "Sim & não");
    const period = { startDate: "2020-01-01T00:00:00", endDate: "2099-01-01T00:00:00" };
    await eventually(async () => {
      const { receivedMessages } = await call("receivedSearch", period);
      expect(receivedMessages).toMatchObject([{ mobile: phone, body: "Sim & não" }]);
    });
    expect(await call("receivedList", {})).toMatchObject({
      detailCode: "300",
      receivedMessages: [{ mobile: phone, correlationId: "soap-3", body: "Sim & não" }],
    });
    expect(await call("receivedList", {})).toMatchObject({ detailCode: "301" });
    const reversed = { startDate: period.endDate, endDate: period.startDate };
    expect(await call("receivedSearch", reversed)).toMatchObject({ detailCode: "015" });
  });

  it("refuses wrong credentials", async () => {
    client.setSecurity(new BasicAuthSecurity(account.name, "wrong"));
    await expect(call("getSmsStatus", { id: "soap-1" })).rejects.toMatchObject({
      response: { status: 401 },
    });
    client.setSecurity(new BasicAuthSecurity(account.name, account.password));
  });

  it("is told by a fault what is wrong with an envelope", async () => {
    const header = '<m:Trace xmlns:m="urn:x" e:mustUnderstand="1"/>';
    client.addSoapHeader(header.replaceAll("e:", "soap:"));
    await expect(call("getSmsStatus", { id: "soap-1" })).rejects.toMatchObject({
      response: { status: 400 },
      message: expect.stringContaining("MustUnderstand"),
    });
    client.clearSoapHeaders();
  });

  it.each([
    [
      "a billion laughs",
      `<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>${envelope("&b;")}`,
    ],
    ["a file", `<!DOCTYPE l [<!ENTITY f SYSTEM "file:///etc/passwd">]>${envelope("&f;")}`],
    ["a document that ends too early", envelope("").slice(0, -5)],
    ["deep nesting", envelope("<a>".repeat(50_000) + "</a>".repeat(50_000))],
    ["an unknown operation", envelope('<x xmlns="urn:torpedo:mesago-sms:1"/>')],
    ["nothing", ""],
  ])("answers %s with a fault", async (_, body) => {
    const answer = await post(account, body);
    const text = await answer.text();
    expect(answer.status).toBe(400);
    expect(answer.headers.get("content-type")).toMatch(/^text\/xml/);
    expect(text).toContain("<faultcode>soap:Client</faultcode>");
    expect(text).not.toMatch(/root:|haha|node_modules/);
  });
});
