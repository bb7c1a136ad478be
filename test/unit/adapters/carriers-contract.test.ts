import { expect, it } from "vitest";
import { CARRIER_KINDS } from "../../../functions/adapters/carriers/registry.ts";
import { type CarrierUnderTest, describeCarrier } from "../../support/carrier-contract.ts";
import { openKannel, openSandbox, openSmsVoice } from "../../support/carrier-counterparts.ts";

const NO_WIRE = "it speaks with nobody, and numbers decide";

const BY_SECRET = "the ingress knows it by its secret";

const CARRIERS: readonly CarrierUnderTest[] = [
  {
    kind: "sandbox",
    open: openSandbox,
    lacks: {
      "answers twice": NO_WIRE,
      "answers garbage": NO_WIRE,
      "answers with a page of HTML": NO_WIRE,
      "answers with a proxy's 502": NO_WIRE,
      "answers with nothing": NO_WIRE,
      "speaks no HTTP": NO_WIRE,
      "never answers": NO_WIRE,
      "stops in the middle of its answer": NO_WIRE,
      "any answer": NO_WIRE,
      lane: "both are the same to it",
      expiry: "it keeps nothing waiting, and dispatch looks before",
      secret: "it has none",
      "under-way": "it reports ends only",
      signature: BY_SECRET,
      queue: "what it queues are receipts already, see sandbox.test.ts",
    },
  },
  {
    kind: "aws-sms",
    open: openSmsVoice,
    lacks: {
      flash: "AWS knows none, they go as others do",
      secret: "a role lets it in",
      "MO in parts": "AWS puts them together",
    },
  },
  {
    kind: "kannel",
    open: openKannel,
    lacks: { queue: "it reports by HTTP only", signature: BY_SECRET },
  },
];

it("every kind of carrier is held to the contract", () => {
  expect(CARRIERS.map(({ kind }) => kind).sort()).toEqual(Object.keys(CARRIER_KINDS).sort());
});

for (const carrier of CARRIERS) describeCarrier(carrier);
