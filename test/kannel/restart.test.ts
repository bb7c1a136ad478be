import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { UnclearAnswerError } from "../../functions/adapters/carriers/kannel/exchange.ts";
import type { Carrier } from "../../functions/core/carrier.ts";
import { whyNoKannel } from "./kannel.ts";
import { carrierOf, eventually, messageOf, type Rig, startRig } from "./rig.ts";

const MESSAGES = 1_000;
/** As many as are handed over side by side. */
const HANDS = 10;
/** So many Kannel has accepted when bearerbox is killed. */
const KILLED_AFTER = 500;
/** What the operator may be asked before it has answered; see `max-pending-submits`. */
const IN_FLIGHT = 20;
/** After so long nothing more comes: Kannel tries everything again after a second. */
const QUIET_MS = 5_000;

const why = whyNoKannel();

const idOf = (index: number) => `message-${index}`;
const numberOf = (index: number) => `55119${String(index).padStart(4, "0")}1111`;

/** What we know of the hand-overs, by the messages' indexes. */
interface Ledger {
  readonly accepted: number[];
  /** Of which nobody can say whether Kannel has them. */
  readonly unclear: number[];
  /** Answers that nothing was taken, after which we came again. */
  refusals: number;
}

/** Hands one over as dispatch does: again where it was certainly not taken, never where that is unclear. */
async function handOver(carrier: Carrier, index: number, ledger: Ledger): Promise<void> {
  try {
    for (;;) {
      const outcome = await carrier.send(messageOf(idOf(index), numberOf(index)));
      if (outcome.kind === "accepted") {
        ledger.accepted.push(index);
        return;
      }
      expect(outcome.kind).toBe("unreachable");
      ledger.refusals++;
      await pause(200);
    }
  } catch (error) {
    expect(error).toBeInstanceOf(UnclearAnswerError);
    ledger.unclear.push(index);
  }
}

async function handOverAll(carrier: Carrier, ledger: Ledger): Promise<void> {
  let next = 0;
  const hand = async () => {
    for (let index = next++; index < MESSAGES; index = next++) {
      await handOver(carrier, index, ledger);
    }
  };
  await Promise.all(Array.from({ length: HANDS }, hand));
}

async function untilUnchanged(count: () => number): Promise<void> {
  let last = count();
  let since = Date.now();
  while (Date.now() - since < QUIET_MS) {
    await pause(100);
    if (count() !== last) since = Date.now();
    last = count();
  }
}

describe.skipIf(why)(`${MESSAGES} messages, with bearerbox killed among them`, () => {
  let rig: Rig;

  beforeAll(async () => {
    rig = await startRig();
    // So slowly that some wait in Kannel, and some are on their way, when it is killed.
    rig.operator.answersAfterMs = 100;
  });
  afterAll(() => rig?.stop());

  it("are all sent, and doubled only where the operator's answer was lost", async () => {
    const { operator, kannel, ingress } = rig;
    const ledger: Ledger = { accepted: [], unclear: [], refusals: 0 };
    const { accepted, unclear } = ledger;
    const handingOver = handOverAll(carrierOf(rig), ledger);
    await eventually(() => expect(accepted.length).toBeGreaterThan(KILLED_AFTER));
    await kannel.kill("bearerbox");
    await pause(1_000);
    await kannel.restart();
    await handingOver;

    const submitsOf = (index: number) => operator.takenBy(numberOf(index));
    const receiptsOf = (index: number) => ingress.receiptsOf(idOf(index));
    const lost = () => accepted.filter((index) => submitsOf(index).length === 0);
    const unreported = () => accepted.filter((index) => receiptsOf(index).length === 0);
    await untilUnchanged(() => operator.submits.length + ingress.calls.length);

    const all = Array.from({ length: MESSAGES }, (_, index) => index);
    const doubles = all.filter((index) => submitsOf(index).length > 1);
    const receipts = all.flatMap(receiptsOf);
    console.table({
      messages: MESSAGES,
      accepted: accepted.length,
      unclear: unclear.length,
      "unclear, and sent all the same": unclear.filter((index) => submitsOf(index).length > 0)
        .length,
      "refused, and handed over again": ledger.refusals,
      "SMS the operator took": all.flatMap(submitsOf).length,
      doubles: doubles.length,
      losses: lost().length,
      receipts: receipts.length,
      "accepted without a receipt": unreported().length,
    });

    expect(accepted.length + unclear.length).toBe(MESSAGES);
    expect(lost()).toEqual([]);
    // An smsbox that ends forgets what it was just about to report, however durable that was before.
    for (const index of unreported()) expect(submitsOf(index)).toMatchObject([{ bind: 1 }]);
    expect(unreported().length).toBeLessThanOrEqual(IN_FLIGHT);
    // Kannel's own doing: what it had sent, and not yet heard of, it sends again.
    for (const index of doubles) {
      expect(submitsOf(index).map(({ bind }) => bind)).toEqual([1, 2]);
    }
    expect(doubles.length).toBeLessThanOrEqual(IN_FLIGHT);
    // Each hand had at most one message in hand that Kannel had no time to answer for.
    expect(unclear.length).toBeLessThanOrEqual(HANDS);
  }, 300_000);
});
