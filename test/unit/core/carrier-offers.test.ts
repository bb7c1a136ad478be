import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type CarrierOffers,
  offersSchema,
  unofferedOf,
} from "../../../functions/core/carrier-offers.ts";
import type { Route } from "../../../functions/core/routing.ts";
import { chooseSender } from "../../../functions/core/sender-identity.ts";

const OFFERS: CarrierOffers = {
  kannel: { senders: ["27182", "31415"] },
  aws: { senders: ["27182", "Acme"] },
  sandbox: {},
};

const accountOf = (senders: string[], routes?: Route[], country = "BR") => ({
  country,
  senders,
  ...(routes && { routes }),
});

describe("what the stage's carriers offer", () => {
  it("is read from JSON; what a later version says besides is left alone", () => {
    const written = { kannel: { senders: ["27182"], newer: 1 }, sandbox: {} };
    expect(offersSchema.parse(JSON.stringify(written))).toEqual({
      kannel: { senders: ["27182"] },
      sandbox: {},
    });
  });

  it.each(["", "{", "[]", "null", '{"Kannel":{}}', '{"kannel":[]}', '{"kannel":{"senders":[]}}'])(
    "is not %j",
    (text) => {
      expect(offersSchema.safeParse(text).success).toBe(false);
    },
  );

  it("is read from whatever text, or refused", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        const parsed = offersSchema.safeParse(text);
        for (const offer of Object.values(parsed.data ?? {})) {
          expect(Object.keys(offer).filter((name) => name !== "senders")).toEqual([]);
        }
      }),
    );
  });
});

describe("what an account may ask for", () => {
  it.each([
    ["nothing", accountOf([])],
    ["a sender of one of the stage's carriers", accountOf(["31415"])],
    ["any sender, where a carrier has no list", accountOf(["40001"])],
    [
      "a sender of one of its routes' carriers",
      accountOf(["31415"], [{ carrier: "aws" }, { carrier: "kannel" }]),
    ],
    [
      "a name, for phones of a country where names are carried",
      accountOf(["27182", "Acme"], [{ carrier: "kannel" }, { country: ["PT"], carrier: "aws" }]),
    ],
    ["a name, where its own country carries names", accountOf(["Acme"], undefined, "PT")],
  ])("%s", (_, account) => {
    expect(unofferedOf(account, OFFERS)).toBeUndefined();
  });

  it.each([
    [
      "a route to a carrier of no stage",
      accountOf([], [{ carrier: "aws" }, { carrier: "vivo" }]),
      'routes.1.carrier: the stage has no carrier "vivo", but kannel, aws, sandbox',
    ],
    [
      "a route to a name that every object has",
      accountOf([], [{ carrier: "constructor" }]),
      'routes.0.carrier: the stage has no carrier "constructor", but kannel, aws, sandbox',
    ],
    [
      "a name in Brazil, although a carrier lets it out",
      accountOf(["27182", "Acme"]),
      'senders: phones in BR can be sent nothing from "Acme"; other countries count where the account\'s routes name them',
    ],
    [
      "a phone number in Brazil",
      accountOf(["5511999990000"]),
      'senders: phones in BR can be sent nothing from "5511999990000"; other countries count where the account\'s routes name them',
    ],
    [
      "a sender that none of its routes' carriers lets out",
      accountOf(
        ["40001"],
        [{ carrier: "kannel" }, { carrier: "aws" }, { lane: "bulk", carrier: "aws" }],
      ),
      'senders: "40001" is let out by no carrier that the account\'s messages go to: kannel, aws',
    ],
    [
      "a name that only the carrier of a country without names lets out",
      accountOf(
        ["Acme"],
        [
          { country: ["PT"], carrier: "kannel" },
          { country: ["BR", "US"], carrier: "aws" },
        ],
      ),
      'senders: "Acme" is let out by no carrier that the account\'s messages go to: kannel',
    ],
  ])("is not %s", (_, account, complaint) => {
    expect(unofferedOf(account, OFFERS)).toBe(complaint);
  });

  it("is each sender that is chosen on one way at least, and no other", () => {
    const sender = fc.constantFrom("27182", "31415", "40001", "Acme", "123", "5511999990000");
    const country = fc.constantFrom("BR", "PT", "US");
    const carrier = fc.constantFrom("kannel", "aws", "sandbox");
    const route: fc.Arbitrary<Route> = fc.record(
      { country: fc.array(country, { minLength: 1, maxLength: 2 }), carrier },
      { requiredKeys: ["carrier"] },
    );
    const seen = { offered: 0, unoffered: 0 };
    fc.assert(
      fc.property(
        sender,
        country,
        fc.option(fc.array(route, { minLength: 1, maxLength: 3 }), { nil: undefined }),
        (sender, country, routes) => {
          const ways = routes ?? Object.keys(OFFERS).map((carrier): Route => ({ carrier }));
          const isChosen = ways.some((way) =>
            (way.country ?? [country]).some(
              (ofPhone) => chooseSender([sender], OFFERS[way.carrier]?.senders, ofPhone) === sender,
            ),
          );
          const unoffered = unofferedOf(accountOf([sender], routes, country), OFFERS);
          seen[unoffered === undefined ? "offered" : "unoffered"]++;
          expect(unoffered === undefined).toBe(isChosen);
        },
      ),
      { numRuns: 500 },
    );
    expect(Math.min(seen.offered, seen.unoffered)).toBeGreaterThan(20);
  });
});
