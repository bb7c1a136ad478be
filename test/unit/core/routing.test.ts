import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  carriersFor,
  drawOf,
  type Route,
  type RoutedMessage,
  routeSchema,
  routesSchema,
} from "../../../functions/core/routing.ts";

const messageWith = (overrides: Partial<RoutedMessage> = {}): RoutedMessage => ({
  country: "BR",
  operator: "Vivo",
  subAccount: "sales",
  lane: "singles",
  draw: 0,
  ...overrides,
});

const carrier = fc.constantFrom("a", "b", "c", "d", "e");
const country = fc.constantFrom("BR", "PT", "US");
const operator = fc.constantFrom("Vivo", "TIM", "Claro");
const subAccount = fc.constantFrom("sales", "ops");
const lane = fc.constantFrom("singles" as const, "bulk" as const);
const some = <T>(one: fc.Arbitrary<T>) => fc.uniqueArray(one, { minLength: 1, maxLength: 3 });
const share = fc.integer({ min: 1, max: 100 });
const conditions = {
  country: some(country),
  operator: some(operator),
  subAccount: some(subAccount),
  lane,
};
const line: fc.Arbitrary<Route> = fc.record(
  { ...conditions, share, carrier },
  { requiredKeys: ["carrier"] },
);
const lines = fc.array(line, { minLength: 1, maxLength: 8 });
const draw = fc.double({ min: 0, max: 100, maxExcluded: true, noNaN: true });
const message: fc.Arbitrary<RoutedMessage> = fc.record({
  country: fc.option(country, { nil: undefined }),
  operator: fc.option(operator, { nil: undefined }),
  subAccount: fc.option(subAccount, { nil: undefined }),
  lane,
  draw,
});

/** Each value of the line's that the message must have, as pairs. */
const matches = (route: Route, it: RoutedMessage) =>
  (
    [
      [route.country, it.country],
      [route.operator, it.operator],
      [route.subAccount, it.subAccount],
      [route.lane && [route.lane], it.lane],
    ] as const
  ).every(([allowed, value]) => !allowed || (allowed as readonly unknown[]).includes(value));

const unique = (names: readonly string[]) => [...new Set(names)];

describe("the carriers for a message", () => {
  it("are those of all lines that match it, each once", () => {
    fc.assert(
      fc.property(lines, message, (routes, it) => {
        const found = carriersFor(routes, it);
        const matching = routes.filter((route) => matches(route, it)).map((r) => r.carrier);
        expect(found).toHaveLength(new Set(found).size);
        expect([...found].sort()).toEqual(unique(matching).sort());
      }),
    );
  });

  it("come in the order of the lines where there are no shares", () => {
    const unshared = lines.map((routes) => routes.map(({ share: _, ...route }) => route));
    fc.assert(
      fc.property(unshared, message, (routes, it) => {
        const matching = routes.filter((route) => matches(route, it)).map((r) => r.carrier);
        expect(carriersFor(routes, it)).toEqual(unique(matching));
      }),
    );
  });

  it("do not depend on lines that do not match, whatever their shares", () => {
    fc.assert(
      fc.property(lines, message, (routes, it) => {
        const matching = routes.filter((route) => matches(route, it));
        expect(carriersFor(routes, it)).toEqual(carriersFor(matching, it));
      }),
    );
  });

  it("divide a hundred by the shares, to the message", () => {
    const shares = fc
      .uniqueArray(fc.integer({ min: 1, max: 99 }), { maxLength: 4 })
      .map((cuts) => [0, ...cuts.sort((one, other) => one - other), 100])
      .map((cuts) => cuts.slice(1).map((cut, index) => cut - (cuts[index] ?? 0)));
    fc.assert(
      fc.property(shares, (all) => {
        const routes = all.map((share, index) => ({ share, carrier: `c${index}` }));
        const first = Array.from({ length: 100 }, (_, index) =>
          carriersFor(routes, messageWith({ draw: index + 0.5 })).at(0),
        );
        const counted = routes.map((route) => first.filter((it) => it === route.carrier).length);
        expect(counted).toEqual(all);
      }),
    );
  });

  it("come last where a share has passed the message over, in the order of their lines", () => {
    fc.assert(
      fc.property(lines, message, (routes, it) => {
        const matching = routes.filter((route) => matches(route, it));
        const shared = matching.filter((route) => route.share !== undefined);
        const drawn = shared.find((_, index) => {
          const upTo = shared
            .slice(0, index + 1)
            .reduce((sum, route) => sum + (route.share ?? 0), 0);
          return it.draw < upTo;
        });
        const isFirst = (route: Route) => route.share === undefined || route === drawn;
        const expected = [
          ...matching.filter(isFirst),
          ...matching.filter((route) => !isFirst(route)),
        ];
        expect(carriersFor(routes, it)).toEqual(unique(expected.map((route) => route.carrier)));
      }),
    );
  });

  const routes: Route[] = [
    { country: ["BR"], lane: "singles", share: 70, carrier: "kannel" },
    { country: ["BR"], lane: "singles", share: 30, carrier: "aws" },
    { country: ["BR"], carrier: "vivo" },
    { country: ["PT", "US"], carrier: "aws" },
    { operator: ["oi"], carrier: "oi" },
    { subAccount: ["ops"], carrier: "ops" },
  ];

  it.each<[string, Partial<RoutedMessage>, string[]]>([
    ["in the first share", { draw: 0 }, ["kannel", "vivo", "aws"]],
    ["just before its end", { draw: 69.999 }, ["kannel", "vivo", "aws"]],
    ["in the second share", { draw: 70 }, ["aws", "vivo", "kannel"]],
    ["in the other lane", { lane: "bulk", draw: 99.9 }, ["vivo"]],
    ["of one of two countries", { country: "US" }, ["aws"]],
    ["of an operator, whatever its case", { country: "PT", operator: "OI" }, ["aws", "oi"]],
    ["of a sub-account", { country: undefined, subAccount: "ops" }, ["ops"]],
    ["of a sub-account in another case", { country: undefined, subAccount: "Ops" }, []],
    [
      "of which nothing is known",
      { country: undefined, operator: undefined, subAccount: undefined },
      [],
    ],
  ])("are these for one %s", (_, it, expected) => {
    expect(carriersFor(routes, messageWith(it))).toEqual(expected);
  });

  it("are found by operators in any case of letters, on either side", () => {
    const mixed = (name: string) => fc.constantFrom(name, name.toLowerCase(), name.toUpperCase());
    fc.assert(
      fc.property(operator.chain(mixed), operator.chain(mixed), (ofLine, ofPhone) => {
        const found = carriersFor(
          [{ operator: [ofLine], carrier: "a" }],
          messageWith({ operator: ofPhone }),
        );
        expect(found).toEqual(ofLine.toLowerCase() === ofPhone.toLowerCase() ? ["a"] : []);
      }),
    );
  });
});

describe("what a message draws", () => {
  it("is within a hundred, and the same each time", () => {
    fc.assert(
      fc.property(fc.string(), (traceId) => {
        const drawn = drawOf(traceId);
        expect(drawn).toBeGreaterThanOrEqual(0);
        expect(drawn).toBeLessThan(100);
        expect(drawOf(traceId)).toBe(drawn);
      }),
    );
  });

  it("gives 70 and 30 of a hundred messages to carriers that are to have so many", () => {
    const messages = 20_000;
    const counted = new Map<string | undefined, number>();
    for (let index = 0; index < messages; index++) {
      // As ids of messages are: the same but for a few digits.
      const traceId = `019ac0de-0000-7000-8000-${index.toString(16).padStart(12, "0")}`;
      const [first] = carriersFor(
        [
          { share: 70, carrier: "a" },
          { share: 30, carrier: "b" },
        ],
        messageWith({ draw: drawOf(traceId) }),
      );
      counted.set(first, (counted.get(first) ?? 0) + 1);
    }
    // Four standard deviations of the binomial distribution.
    const tolerance = 4 * Math.sqrt(messages * 0.7 * 0.3);
    expect(Math.abs((counted.get("a") ?? 0) - 0.7 * messages)).toBeLessThan(tolerance);
    expect((counted.get("a") ?? 0) + (counted.get("b") ?? 0)).toBe(messages);
  });

  it("is spread evenly", () => {
    const tenths = Array<number>(10).fill(0);
    for (let index = 0; index < 20_000; index++) {
      const tenth = Math.floor(drawOf(`trace-${index}`) / 10);
      tenths[tenth] = (tenths[tenth] ?? 0) + 1;
    }
    const tolerance = 4 * Math.sqrt(20_000 * 0.1 * 0.9);
    for (const counted of tenths) expect(Math.abs(counted - 2_000)).toBeLessThan(tolerance);
  });
});

describe("a routing list as it is written", () => {
  it("has one value or several, and is read as several", () => {
    const written = { country: "BR", operator: "Vivo", subAccount: ["a", "b"], carrier: "kannel" };
    expect(routeSchema.parse(written)).toEqual({
      country: ["BR"],
      operator: ["Vivo"],
      subAccount: ["a", "b"],
      carrier: "kannel",
    });
  });

  it("is read as it was read before", () => {
    fc.assert(
      fc.property(lines, (routes) => {
        expect(routesSchema.parse(routes)).toEqual(routes);
      }),
    );
  });

  it.each([
    { carrier: "Kannel" },
    {},
    { carrier: "kannel", country: "br" },
    { carrier: "kannel", country: [] },
    { carrier: "kannel", operator: "" },
    { carrier: "kannel", lane: "fast" },
    { carrier: "kannel", share: 0 },
    { carrier: "kannel", share: 101 },
    { carrier: "kannel", weight: 1 },
  ])("has no line %j", (written) => {
    expect(routesSchema.safeParse([{ carrier: "aws" }, written]).success).toBe(false);
  });

  it("has from one to fifty lines", () => {
    const of = (length: number) => routesSchema.safeParse(Array(length).fill({ carrier: "aws" }));
    expect([0, 1, 50, 51].map((length) => of(length).success)).toEqual([false, true, true, false]);
  });
});
