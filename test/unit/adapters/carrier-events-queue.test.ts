import { SQSClient } from "@aws-sdk/client-sqs";
import { describe, expect, it } from "vitest";
import { createCarrierEventsQueue } from "../../../functions/adapters/sqs/carrier-events-queue.ts";
import { carrierEventsInputSchema } from "../../../functions/carrier-events/schema.ts";
import { PARTS_WAIT_MS, type PartsDue } from "../../../functions/core/assemble-mo.ts";
import { type CarrierEvent, carrierEventSchema } from "../../../functions/core/carrier.ts";
import { stubbedAws, type WireRequest } from "../../support/stub-aws.ts";

const queueUrl = "https://sqs.us-east-1.amazonaws.com/123456789012/reports";

interface Entry {
  readonly Id: string;
  readonly MessageBody: string;
}
const entriesOf = ({ body }: WireRequest) => body.Entries as Entry[];

function setUp(refused: (round: number) => readonly string[] = () => []) {
  let rounds = 0;
  const { requests, config } = stubbedAws(() => {
    const Failed = refused(++rounds).map((Id) => ({ Id, Code: "InternalError" }));
    return { body: { MessageId: "m", Failed } };
  });
  const client = new SQSClient({ ...config, md5: false });
  return { requests, queue: createCarrierEventsQueue({ client, queueUrl }) };
}

const receipt = (n: number): CarrierEvent => ({
  type: "receipt",
  outcome: "delivered",
  ref: { account: "acme", id: `id-${n}`, traceId: `trace-${n}` },
  carrier: "sandbox",
  at: 0,
});
const mo = (text: string): CarrierEvent => ({
  type: "mo",
  carrier: "sandbox",
  carrierMessageId: "mo-1",
  from: "5519900001111",
  shortCode: "27182",
  text,
  at: 0,
});
const receipts = Array.from({ length: 25 }, (_, n) => receipt(n));
const sent = (requests: readonly WireRequest[]) =>
  requests
    .flatMap(entriesOf)
    .map(({ MessageBody }) => carrierEventSchema.parse(JSON.parse(MessageBody)));

describe("the carrier-events queue", () => {
  it("takes ten reports with each request", async () => {
    const { requests, queue } = setUp();
    await queue.enqueueMany(receipts);
    expect(requests.map((request) => entriesOf(request).length)).toEqual([10, 10, 5]);
    expect(sent(requests)).toEqual(receipts);
  });

  it("asks nothing where there is nothing", async () => {
    const { requests, queue } = setUp();
    await queue.enqueueMany([]);
    expect(requests).toEqual([]);
  });

  it("is sent again what it left out, and throws where it goes on leaving it out", async () => {
    const { requests, queue } = setUp((round) => (round === 1 ? ["3"] : []));
    await queue.enqueueMany(receipts.slice(0, 5));
    expect(requests.map((request) => entriesOf(request).length)).toEqual([5, 1]);
    expect(sent(requests).at(-1)).toEqual(receipt(3));
    const stubborn = setUp(() => ["3"]);
    await expect(stubborn.queue.enqueueMany(receipts.slice(0, 5))).rejects.toThrow(/not take all/);
  });

  it("takes no more with a request than fits", async () => {
    const { requests, queue } = setUp();
    const long = Array.from({ length: 4 }, () => mo("\u0001".repeat(20_000)));
    await queue.enqueueMany(long);
    expect(requests.map((request) => entriesOf(request).length)).toEqual([2, 2]);
    for (const request of requests) {
      const bodies = entriesOf(request).map(({ MessageBody }) => MessageBody);
      expect(Buffer.byteLength(bodies.join(""))).toBeLessThanOrEqual(262_144);
    }
    expect(sent(requests)).toEqual(long);
  });

  it("holds back what is to be woken, to the second", async () => {
    const { requests, queue } = setUp();
    const due: PartsDue = {
      type: "mo-parts-due",
      carrier: "kannel",
      from: "5519900001111",
      shortCode: "27182",
      reference: 7,
      total: 3,
      id: "m/1",
    };
    await queue.wake(due, PARTS_WAIT_MS);
    expect(requests[0]?.body).toMatchObject({ DelaySeconds: 900 });
    const body = String(requests[0]?.body.MessageBody);
    expect(carrierEventsInputSchema.parse(JSON.parse(body))).toEqual(due);
  });

  it("takes every character that a phone can send", async () => {
    const { requests, queue } = setUp();
    const odd = mo("a\u0000\u001b\ufffe\uffff\ud800 \u{1f600}ç");
    await queue.enqueueMany([odd]);
    await queue.enqueue(odd);
    const bodies = [
      entriesOf(requests[0] as WireRequest)[0]?.MessageBody,
      requests[1]?.body.MessageBody,
    ];
    for (const body of bodies as string[]) {
      expect(body).toMatch(/^[\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]*$/u);
      expect(carrierEventSchema.parse(JSON.parse(body))).toEqual(odd);
    }
  });
});
