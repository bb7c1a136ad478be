import fc from "fast-check";
import { expect, it } from "vitest";
import { BASE } from "../../../functions/admin/route.ts";
import { as, CALLBACK, GOOD_REQUESTS, NUMBER, TestAdmin } from "./support.ts";

/** Values of which some are good, so that more than the first field is looked at. */
const name = fc.constantFrom("Sales", "Secret", "secret", "acme-secret", "boss", "new", "a/b", "");
const text = fc.oneof(name, fc.string({ unit: "binary", maxLength: 300 }), fc.constant("\ud800"));
const count = fc.oneof(
  fc.integer(),
  fc.constantFrom(0, 1, 77, 1.5, 1e300, Number.MAX_SAFE_INTEGER),
);
const anything = fc.jsonValue({ maxDepth: 3 });
const limits = fc.record(
  { perDay: count, perMonth: count, prepaid: fc.boolean() },
  { requiredKeys: [] },
);
const optOut = fc.record(
  { enabled: fc.boolean(), keywords: fc.array(text), confirmation: text },
  { requiredKeys: [] },
);
const FIELDS: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  subAccount: text,
  username: text,
  email: fc.oneof(text, fc.emailAddress(), fc.constant("boss@acme.example")),
  role: fc.constantFrom("admin", "regular"),
  state: fc.constantFrom("active", "disabled", "paused"),
  timeZone: fc.constantFrom("UTC", "Asia/Tokyo", "x", "+14:00"),
  country: fc.constantFrom("BR", "XX", "br"),
  overlapMinutes: count,
  name: text,
  text,
  templateId: count,
  alias: text,
  flowId: text,
  url: fc.oneof(fc.webUrl(), text),
  events: fc.array(fc.constantFrom("sent", "delivered", "received", "any")),
  method: fc.constantFrom("GET", "POST"),
  format: fc.constantFrom("dialect", "wavy", "cloudevents", "xml"),
  headers: fc.dictionary(
    fc.oneof(fc.constantFrom("x-key", "Host", "__proto__", "Authorization"), text),
    fc.oneof(text, fc.constant(null)),
    { maxKeys: 3 },
  ),
  since: fc.oneof(fc.constantFrom("2026-03-01T00:00:00Z", "2026-03-01T00:00:00+99:00"), text),
  callbackOption: fc.constantFrom("ALL", "NONE"),
  parts: count,
  requestId: text,
  limits,
  optOut,
  perDay: count,
  perMonth: count,
  prepaid: fc.boolean(),
  senders: fc.array(fc.constantFrom("27182", "Acme", "*")),
  routes: fc.array(fc.record({ carrier: fc.constantFrom("sandbox", "constructor", "") })),
  moDialect: fc.constantFrom("wavy", "mesago", "x"),
  transliterate: fc.boolean(),
};
/** Names of JavaScript's own are no fields. */
const arbitraryOf = (key: string) =>
  (Object.hasOwn(FIELDS, key) ? FIELDS[key] : undefined) ?? anything;
const field = (key: string) =>
  fc
    .oneof({ weight: 5, arbitrary: arbitraryOf(key) }, { weight: 1, arbitrary: anything })
    .map((value) => `${JSON.stringify(key)}:${JSON.stringify(value)}`);
const fields = fc
  .uniqueArray(fc.constantFrom(...Object.keys(FIELDS), "__proto__", "constructor"), {
    maxLength: 5,
  })
  .chain((keys) => fc.tuple(...keys.map(field)))
  .map((written) => `{${written.join(",")}}`);

/** A good request of which the body has one field that is something else. */
const nearlyGood = fc.constantFrom(...GOOD_REQUESTS).chain(([method, path, good]) => {
  const body = (good ?? { text: "" }) as object;
  return fc
    .constantFrom(...Object.keys(body), "text", "limits", "optOut")
    .chain((key) =>
      fc
        .oneof({ weight: 3, arbitrary: arbitraryOf(key) }, { weight: 1, arbitrary: anything })
        .map((value) => ({ method, path, body: JSON.stringify({ ...body, [key]: value }) })),
    );
});
const segment = fc.oneof(
  fc.constantFrom(
    NUMBER,
    "77",
    "0",
    "limits",
    "token",
    "credit",
    CALLBACK,
    "test",
    "state",
    "replay",
  ),
  text,
  fc.string({ unit: "binary", maxLength: 3_000 }),
);
const wild = fc.record({
  method: fc.constantFrom("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"),
  path: fc
    .tuple(
      fc.constantFrom(...new Set(GOOD_REQUESTS.map(([, path]) => path.split("/")[1]))),
      fc.array(segment, { maxLength: 2 }),
    )
    .map(([resource, segments]) => `/${[resource, ...segments].join("/")}`),
  body: fc.oneof(
    fields,
    anything.map((value) => JSON.stringify(value)),
    fc.string(),
  ),
});
const requests = fc.record({
  request: fc.oneof(nearlyGood, wild),
  query: fc.oneof(
    { weight: 5, arbitrary: fc.constant({}) },
    {
      weight: 1,
      arbitrary: fc.dictionary(
        fc.constantFrom("limit", "offset", "subAccount", "before", "endpoint", "x"),
        text,
      ),
    },
  ),
});

it("whatever comes is answered as described, is nobody else's, and is never our fault", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(requests, { minLength: 1, maxLength: 4 }), async (all) => {
      const api = await TestAdmin.create();
      for (const account of ["acme", "other"]) await api.furnish(account);
      const asRival = { headers: as("rival") };
      const before = await api.ask("GET", "/users", undefined, asRival);
      for (const { request, query } of all) {
        const { method, path, body } = request;
        const response = await api.call({
          method,
          path: `${BASE}${path}`,
          body: Buffer.from(body),
          query,
        });
        expect(response.status).toBeLessThan(500);
        const said = JSON.stringify(response);
        expect(said).not.toMatch(/"hash"|at file:|node_modules/);
      }
      expect(await api.ask("GET", "/users", undefined, asRival)).toEqual(before);
    }),
    { numRuns: 400 },
  );
}, 30_000);

it("whatever comes with credentials is none of theirs or nobody's", async () => {
  await fc.assert(
    fc.asyncProperty(text, text, async (username, authenticationtoken) => {
      const api = await TestAdmin.create();
      const { status } = await api.call({ headers: { username, authenticationtoken } });
      expect(status).toBe(401);
    }),
  );
});
