import { randomInt, randomUUID } from "node:crypto";
import { beforeEach, describe, expect, it } from "vitest";
import { type Message, type Part, refOf } from "../../functions/core/message.ts";
import type { MessageStore } from "../../functions/core/ports.ts";
import { ManualClock } from "./memory.ts";
import { sampleLongMessage, sampleMessage } from "./samples.ts";

const present = (message: Message | undefined) =>
  message && Object.fromEntries(Object.entries(message).filter(([, value]) => value !== undefined));

const byId = (messages: readonly Message[]) =>
  [...messages].sort((one, other) => one.id.localeCompare(other.id));

/** What every `MessageStore` does; the store in memory and the one in DynamoDB are held to the same. */
export function describeMessageStore(
  name: string,
  createStore: (clock: ManualClock) => MessageStore,
): void {
  describe(name, () => {
    let clock: ManualClock;
    let store: MessageStore;
    let message: Message;

    beforeEach(() => {
      // The store removes by the world's clock what is past its removal.
      clock = new ManualClock(Date.now());
      store = createStore(clock);
      message = sampleMessage(clock.now(), {
        account: `contract-${randomUUID()}`,
        window: { hours: [1, 2], timeZone: "UTC" },
        callbackOption: "FINAL",
        extraInfo: "extra",
      });
    });

    const find = async () => present(await store.find(message.account, message.id));
    const lease = (token: string) => ({ token, until: clock.now() + 30_000 });
    const claim = (token = "token", ref = refOf(message)) =>
      store.claim(ref, { now: clock.now(), lease: lease(token), carrier: "sandbox" });

    it("gives back what was inserted", async () => {
      expect(await find()).toBeUndefined();
      expect(await store.insert(message)).toEqual({ inserted: true });
      expect(await find()).toEqual(present(message));
    });

    it.each(["a#b", "a/b", "", "ção 😀", "MT"].filter(Boolean))("keeps the id %s", async (id) => {
      message = { ...message, id };
      await store.insert(message);
      expect(await find()).toEqual(present(message));
    });

    it.each([
      {
        dialect: "wavy",
        correlationId: "a#b ção",
        subAccount: "sales 1",
        campaign: { id: 7, alias: "Natal" },
        sender: { username: "ana", email: "ana@acme.example" },
        invalidParams: true,
      },
      { dialect: "wavy", state: "BLOCKED", reason: "invalid-number", destination: "not a number" },
      { dialect: "wavy", state: "BLOCKED", reason: "invalid-message", destination: "", text: "" },
      { correlationId: "", sender: { username: "ana" } },
    ] satisfies Partial<Message>[])("keeps all that a message can have: %j", async (overrides) => {
      message = { ...message, ...overrides };
      expect(await store.insert(message)).toEqual({ inserted: true });
      expect(await find()).toEqual(present(message));
      expect(await store.insert({ ...message, traceId: "other" })).toEqual({
        inserted: false,
        existing: present(message),
      });
      const another = { ...message, id: "another", traceId: "another" };
      expect(await store.insertMany([another])).toEqual([another]);
      expect(await store.findMany(message.account, ["another"])).toEqual([present(another)]);
    });

    it("inserts an id once for an account, and shows the one that is there", async () => {
      await store.insert(message);
      const second = { ...message, traceId: "other", text: "second" };
      expect(await store.insert(second)).toEqual({ inserted: false, existing: message });
      const elsewhere = { ...message, account: `${message.account}-2` };
      expect(await store.insert(elsewhere)).toEqual({ inserted: true });
    });

    it("inserts one of many at the same time", async () => {
      const results = await Promise.all(
        ["a", "b", "c", "d"].map((traceId) => store.insert({ ...message, traceId })),
      );
      expect(results.filter(({ inserted }) => inserted)).toHaveLength(1);
    });

    it("takes a message past its removal for absent", async () => {
      await store.insert(message);
      clock.time = message.removeAt * 1_000;
      expect(await find()).toBeUndefined();
      expect(await claim()).toEqual({ kind: "absent" });
      expect(await store.change(message, { state: "EXPIRED" })).toBeUndefined();
      const successor = { ...message, traceId: "next", removeAt: message.removeAt + 86_400 };
      expect(await store.insert(successor)).toEqual({ inserted: true });
      expect(await find()).toEqual(present(successor));
    });

    it("withdraws a message nobody has begun with", async () => {
      await store.insert(message);
      expect(await store.withdraw({ ...refOf(message), traceId: "another" })).toBe(true);
      expect(await find()).toBeDefined();
      expect(await store.withdraw(refOf(message))).toBe(true);
      expect(await find()).toBeUndefined();
      expect(await store.withdraw(refOf(message))).toBe(true);
    });

    it("does not withdraw a message that has moved on", async () => {
      await store.insert(message);
      await claim();
      expect(await store.withdraw(refOf(message))).toBe(false);
      expect(await find()).toMatchObject({ state: "SENDING" });
    });

    it("does not withdraw a message that is kept for a retry", async () => {
      await store.insert(message);
      await store.change(message, { kept: true });
      expect(await store.withdraw(refOf(message))).toBe(false);
      expect(await find()).toMatchObject({ state: "QUEUED", kept: true });
    });

    it("claims a queued message once", async () => {
      await store.insert(message);
      const claims = await Promise.all(["a", "b", "c"].map((token) => claim(token)));
      expect(claims.filter(({ kind }) => kind === "claimed")).toHaveLength(1);
      expect(claims.filter(({ kind }) => kind === "refused")).toHaveLength(2);
      expect(await find()).toMatchObject({
        state: "SENDING",
        stateAt: clock.now(),
        attempts: 1,
        carrier: "sandbox",
        lease: { until: clock.now() + 30_000 },
      });
    });

    it("claims a message again when its lease has run out after its last call, and not before", async () => {
      await store.insert(message);
      const first = await claim("first");
      if (first.kind !== "claimed") throw new Error("the message was not claimed");
      clock.advance(60_000);
      expect(await claim("second")).toMatchObject({ kind: "refused" });
      const until = clock.now() + 30_000;
      const lastCall = { token: "first", until, lastCall: true as const };
      expect(await store.change(first.message, { lease: lastCall })).toBeDefined();
      clock.advance(29_999);
      expect(await claim("second")).toMatchObject({ kind: "refused" });
      clock.advance(1);
      expect(await claim("second")).toMatchObject({
        kind: "claimed",
        message: { attempts: 2, lease: { token: "second" } },
      });
      expect((await find())?.lease).not.toHaveProperty("lastCall");
    });

    it("does not claim a message that is being sent by nobody it knows of", async () => {
      await store.insert({ ...message, state: "SENDING" });
      expect(await claim()).toMatchObject({ kind: "refused" });
    });

    it("does not claim a message before its time, after it, or in another state", async () => {
      await store.insert({
        ...message,
        claimableFrom: clock.now() + 1,
        claimableUntil: clock.now() + 2,
      });
      expect(await claim()).toMatchObject({ kind: "refused", message: { state: "QUEUED" } });
      clock.advance(2);
      expect(await claim()).toMatchObject({ kind: "refused" });
      message = { ...message, id: "scheduled", state: "SCHEDULED" };
      await store.insert(message);
      expect(await claim()).toMatchObject({ kind: "refused", message: { state: "SCHEDULED" } });
    });

    it("does not claim another message by the same id", async () => {
      await store.insert(message);
      expect(await claim("t", { ...refOf(message), traceId: "another" })).toEqual({
        kind: "absent",
      });
      expect(await claim("t", { ...refOf(message), id: "none" })).toEqual({ kind: "absent" });
    });

    it("changes and removes fields", async () => {
      await store.insert(message);
      const claimed = await claim();
      if (claimed.kind !== "claimed") throw new Error("not claimed");
      const changed = await store.change(claimed.message, {
        state: "SENT",
        stateAt: clock.now() + 5,
        lease: undefined,
        operator: "Vivo",
      });
      const expected = { state: "SENT", stateAt: clock.now() + 5, operator: "Vivo", attempts: 1 };
      expect(changed).toMatchObject(expected);
      expect(await find()).toMatchObject(expected);
      expect(await find()).not.toHaveProperty("lease");
    });

    it("does not change what another has changed, or holds", async () => {
      await store.insert(message);
      const held = await claim("first");
      if (held.kind !== "claimed") throw new Error("not claimed");
      expect(await store.change(message, { state: "EXPIRED" })).toBeUndefined();
      const lastCall = { token: "first", until: clock.now() + 30_000, lastCall: true } as const;
      await store.change(held.message, { lease: lastCall });
      clock.advance(30_000);
      await claim("second");
      expect(await store.change(held.message, { state: "SENT", lease: undefined })).toBeUndefined();
      expect(await find()).toMatchObject({ state: "SENDING", lease: { token: "second" } });
    });

    it("lets one of many changes through", async () => {
      await store.insert(message);
      const changes = await Promise.all(
        (["EXPIRED", "BLOCKED", "EXPIRED", "BLOCKED"] as const).map((state, index) =>
          store.change(message, { state, stateAt: clock.now() + index }),
        ),
      );
      expect(changes.filter(Boolean)).toHaveLength(1);
    });

    describe("with many messages", () => {
      const many = (count: number, overrides: Partial<Message> = {}) =>
        Array.from({ length: count }, (_, n) => ({
          ...message,
          id: `id-${String(n).padStart(4, "0")}`,
          traceId: `trace-${n}`,
          ...overrides,
        }));
      const idsOf = (messages: readonly Message[]) => messages.map(({ id }) => id);
      const findThem = async (messages: readonly Message[]) =>
        byId(await store.findMany(message.account, idsOf(messages)));

      it.each([0, 1, 25, 26, 230])("inserts %d of them, and finds them", async (count) => {
        const messages = many(count);
        expect(await findThem(messages)).toEqual([]);
        expect(await store.insertMany(messages)).toEqual(messages);
        expect(await findThem(messages)).toEqual(messages.map(present));
      });

      it("inserts those whose ids are not taken, and shows in their places those that are there", async () => {
        const messages = many(60);
        const earlier = [3, 30, 59].map((n) => ({
          ...(messages[n] as Message),
          traceId: `earlier-${n}`,
          text: "earlier",
        }));
        for (const one of earlier) await store.insert(one);
        const expected = messages.map((one) => earlier.find(({ id }) => id === one.id) ?? one);
        expect(await store.insertMany(messages)).toEqual(expected);
        expect(await findThem(messages)).toEqual(expected.map(present));
      });

      it("shows what has become of those that it has inserted before", async () => {
        const messages = many(30);
        const [first, second] = messages as [Message, Message];
        await store.insertMany(messages);
        await claim("token", refOf(second));
        const again = await store.insertMany(messages);
        expect(again[0]).toEqual(first);
        expect(again[1]).toMatchObject({ traceId: second.traceId, state: "SENDING", attempts: 1 });
        expect(again.slice(2)).toEqual(messages.slice(2));
      });

      it("replaces one that is past its removal", async () => {
        const messages = many(30, { removeAt: message.removeAt + 86_400 });
        const old = { ...(messages[7] as Message), traceId: "old", removeAt: message.removeAt };
        await store.insert(old);
        clock.time = message.removeAt * 1_000;
        expect(await store.insertMany(messages)).toEqual(messages);
        expect(await findThem(messages)).toEqual(messages.map(present));
      });

      it("tells everybody who inserts the same ids at the same time the same", async () => {
        const results = await Promise.all(
          ["a", "b", "c"].map((name) =>
            store.insertMany(many(40).map((one) => ({ ...one, traceId: `${name}-${one.id}` }))),
          ),
        );
        const stored = await findThem(many(40));
        expect(stored).toHaveLength(40);
        for (const result of results) expect(result.map(present)).toEqual(stored);
      });

      it("inserts an id for each account that has it", async () => {
        await store.insertMany(many(2));
        const elsewhere = many(2, { account: `${message.account}-2`, traceId: "elsewhere" });
        expect(await store.insertMany(elsewhere)).toEqual(elsewhere);
        expect(await findThem(many(2))).toEqual(many(2).map(present));
      });

      it("finds those of many ids that the account has, as they are now", async () => {
        const messages = many(150);
        const [first] = messages as [Message];
        await store.insertMany(messages);
        await claim("token", refOf(first));
        await store.insertMany([
          { ...first, account: `${message.account}-2`, id: "only-elsewhere", traceId: "elsewhere" },
        ]);
        const unknown = messages.map(({ id }) => `${id}-unknown`);
        const ids = ["only-elsewhere", ...unknown, ...idsOf(messages)];
        const found = byId(await store.findMany(message.account, ids));
        expect(idsOf(found)).toEqual(idsOf(messages));
        expect(found[0]).toMatchObject({ state: "SENDING", attempts: 1 });
        expect(found.slice(1)).toEqual(messages.slice(1).map(present));
        expect(await store.findMany(`${message.account}-3`, ids)).toEqual([]);
      });

      it("does not find those past their removal", async () => {
        const [short, long] = many(2) as [Message, Message];
        const kept = { ...long, removeAt: long.removeAt + 1 };
        await store.insertMany([short, kept]);
        clock.time = short.removeAt * 1_000;
        expect(await findThem([short, kept])).toEqual([present(kept)]);
      });
    });

    describe("as to what a phone was sent", () => {
      const shortCode = "27182";
      let phone: string;

      beforeEach(() => {
        phone = String(randomInt(10 ** 13, 10 ** 14));
      });

      const insertSent = async (id: string, sentAt: number, overrides: Partial<Message> = {}) => {
        const sent: Message = {
          ...message,
          id,
          traceId: `trace-of-${id}`,
          destination: phone,
          state: "SENT",
          sentAt,
          shortCode,
          ...overrides,
        };
        await store.insert(sent);
        return sent;
      };
      const lastSent = async (before = clock.now(), code = shortCode) =>
        (await store.findLastSent(phone, code, before))?.id;

      it("finds the last message", async () => {
        expect(await lastSent()).toBeUndefined();
        await insertSent("second", clock.now() - 20);
        await insertSent("third", clock.now() - 10);
        await insertSent("first", clock.now() - 30);
        expect(await store.findLastSent(phone, shortCode, clock.now())).toMatchObject({
          account: message.account,
          id: "third",
          traceId: "trace-of-third",
          dialect: "mesago",
        });
      });

      it("finds the last one from the short code", async () => {
        await insertSent("ours", clock.now() - 20);
        await insertSent("from another", clock.now() - 10, { shortCode: "40001" });
        await insertSent("from nowhere", clock.now() - 5, { shortCode: undefined });
        expect(await lastSent()).toBe("ours");
        expect(await lastSent(clock.now(), "40001")).toBe("from another");
        expect(await lastSent(clock.now(), "40002")).toBeUndefined();
      });

      it("finds the last one up to a time, inclusive", async () => {
        await insertSent("first", clock.now() - 20);
        await insertSent("second", clock.now() - 10);
        expect(await lastSent(clock.now() - 10)).toBe("second");
        expect(await lastSent(clock.now() - 11)).toBe("first");
        expect(await lastSent(clock.now() - 21)).toBeUndefined();
      });

      it("finds the last one whoever's it was, and only of this phone", async () => {
        const account = `${message.account}-2`;
        await insertSent("ours", clock.now() - 20);
        await insertSent("theirs", clock.now() - 10, { account, dialect: "zenvia" });
        await insertSent("to another", clock.now() - 5, { destination: `${phone}0` });
        expect(await store.findLastSent(phone, shortCode, clock.now())).toMatchObject({
          account,
          id: "theirs",
          traceId: "trace-of-theirs",
          dialect: "zenvia",
        });
      });

      it("tells of the last one what an answer to it needs to know", async () => {
        const known = {
          correlationId: "correlation",
          subAccount: "sales",
          campaign: { id: 7, alias: "Natal" },
          sender: { username: "ana" },
        };
        await insertSent("one", clock.now() - 10, { dialect: "wavy", ...known });
        const found = await store.findLastSent(phone, shortCode, clock.now());
        expect(found).toMatchObject({ id: "one", dialect: "wavy", ...known });
      });

      it("does not find one past its removal", async () => {
        const { removeAt } = message;
        await insertSent("kept", clock.now() - 20, { removeAt: removeAt + 1 });
        await insertSent("gone", clock.now() - 10);
        clock.time = removeAt * 1_000;
        expect(await lastSent()).toBe("kept");
        clock.advance(1_000);
        expect(await lastSent()).toBeUndefined();
      });

      it("does not find one before it was sent", async () => {
        const waiting = await insertSent("waiting", 0, { state: "QUEUED", sentAt: undefined });
        expect(await lastSent()).toBeUndefined();
        await store.change(waiting, { state: "SENT", sentAt: clock.now() });
        expect(await lastSent()).toBe("waiting");
      });
    });

    describe("as to correlation ids", () => {
      const insertAs = async (id: string, overrides: Partial<Message> = {}) => {
        const one = { ...message, id, traceId: `trace-of-${id}`, ...overrides };
        await store.insert(one);
        return one;
      };
      const correlated = async (...correlationIds: string[]) =>
        (await store.findCorrelated(message.account, correlationIds)).map(({ id }) => id).sort();

      it("finds all messages with one, as they are now", async () => {
        const correlationId = "a#b ção/c";
        const first = await insertAs("first", { correlationId });
        await insertAs("second", { correlationId, acceptedAt: clock.now() + 5 });
        await insertAs("another", { correlationId: "another" });
        await insertAs("none");
        await insertAs("named", { correlationId: "first" });
        await store.change(first, { state: "CANCELED", stateAt: clock.now() + 9 });
        expect(await correlated(correlationId)).toEqual(["first", "second"]);
        const found = await store.findCorrelated(message.account, [correlationId]);
        expect(found.find(({ id }) => id === "first")).toEqual(
          present({ ...first, state: "CANCELED", stateAt: clock.now() + 9 }),
        );
      });

      it("finds those of several, also of many, each once", async () => {
        const ids = Array.from({ length: 30 }, (_, n) => `id-${n}`);
        await store.insertMany(
          ids.map((id, n) => ({
            ...message,
            id,
            traceId: `trace-of-${id}`,
            correlationId: `correlation-${n % 15}`,
          })),
        );
        const all = ids.map((_, n) => `correlation-${n}`);
        expect(await correlated(...all)).toEqual([...ids].sort());
        expect(await correlated("correlation-3", "correlation-3", "unknown")).toEqual([
          "id-18",
          "id-3",
        ]);
        expect(await correlated()).toEqual([]);
      });

      it("finds no other account's, and none past its removal", async () => {
        const correlationId = "shared";
        await insertAs("theirs", { account: `${message.account}-2`, correlationId });
        await insertAs("gone", { correlationId });
        await insertAs("kept", { correlationId, removeAt: message.removeAt + 1 });
        expect(await correlated(correlationId)).toEqual(["gone", "kept"]);
        clock.time = message.removeAt * 1_000;
        expect(await correlated(correlationId)).toEqual(["kept"]);
      });
    });

    describe("as to what has changed", () => {
      const wavy = (id: string, overrides: Partial<Message> = {}): Message => ({
        ...message,
        id,
        traceId: `trace-of-${id}`,
        dialect: "wavy",
        callbackOption: undefined,
        state: "SENT",
        ...overrides,
      });
      const insertThem = (messages: readonly Message[]) =>
        Promise.all(messages.map((one) => store.insert(one)));
      const namesOf = (messages: readonly Message[]) =>
        messages.map(({ id, state }) => `${id} ${state}`).sort();
      const take = async (limit = 1_000, subAccount?: string) =>
        namesOf(await store.takeChanged(message.account, limit, subAccount));
      const many = (count: number, overrides: Partial<Message> = {}) =>
        Array.from({ length: count }, (_, n) =>
          wavy(`id-${String(n).padStart(3, "0")}`, overrides),
        );

      it("hands over each message as it is, once", async () => {
        const sent = wavy("sent", { correlationId: "correlation", subAccount: "sales" });
        await store.insert(sent);
        expect((await store.takeChanged(message.account, 10)).map(present)).toEqual([
          present(sent),
        ]);
        expect(await store.takeChanged(message.account, 10)).toEqual([]);
        expect(await store.find(message.account, "sent")).toEqual(present(sent));
        expect(await store.insert(sent)).toEqual({ inserted: true });
        expect(await take()).toEqual([]);
      });

      it("hands over each change of which there is something to be told", async () => {
        const queued = wavy("id", { state: "QUEUED" });
        await store.insert(queued);
        expect(await take()).toEqual([]);
        await claim("token", refOf(queued));
        expect(await take()).toEqual([]);
        const sending = { ...queued, state: "SENDING" as const, lease: lease("token") };
        const sent = await store.change(sending, { state: "SENT", stateAt: 1, lease: undefined });
        expect(await take()).toEqual(["id SENT"]);
        expect(await take()).toEqual([]);
        const told = await store.change(sent ?? queued, { operator: "TIM" });
        expect(told).toMatchObject({ operator: "TIM" });
        expect(await take()).toEqual([]);
        await store.change(told ?? queued, { state: "DELIVERED", stateAt: 2 });
        expect(await take()).toEqual(["id DELIVERED"]);
        expect(await take()).toEqual([]);
      });

      it("hands over a change that has overtaken another instead of both", async () => {
        const sent = wavy("id");
        await store.insert(sent);
        await store.change(sent, { state: "NOT_DELIVERED", stateAt: 2, reason: "undeliverable" });
        expect(await take()).toEqual(["id NOT_DELIVERED"]);
        expect(await take()).toEqual([]);
      });

      it("hands over what is final from the start, however it was inserted", async () => {
        const blocked = { state: "BLOCKED", reason: "opt-out" } as const;
        await store.insert(wavy("alone", blocked));
        const together = ["a", "b"].map((id) => wavy(id, blocked));
        await store.insertMany([...together, wavy("c", { state: "QUEUED" })]);
        // Expanding a batch again inserts nothing again.
        await store.insertMany(together);
        expect(await take()).toEqual(["a BLOCKED", "alone BLOCKED", "b BLOCKED"]);
        await store.insertMany(together);
        expect(await take()).toEqual([]);
      });

      it.each(["SCHEDULED", "QUEUED", "SENDING", "CANCELED"] as const)(
        "hands over nothing that is %s",
        async (state) => {
          await insertThem([wavy("inserted", { state }), wavy("moved", { state: "SCHEDULED" })]);
          await store.insertMany([wavy("of a batch", { state })]);
          await store.change(wavy("moved", { state: "SCHEDULED" }), { state, stateAt: 5 });
          expect(await take()).toEqual([]);
        },
      );

      it("hands over nothing of other dialects, nor what nobody is told of, whatever becomes of it", async () => {
        const untold = [
          wavy("mesago", { dialect: "mesago" }),
          wavy("zenvia", { dialect: "zenvia", callbackOption: "ALL" }),
          wavy("none", { callbackOption: "NONE" }),
        ];
        await insertThem(untold);
        await store.insertMany(untold.map((one) => ({ ...one, id: `${one.id}-2` })));
        for (const one of untold) {
          expect(await store.change(one, { state: "DELIVERED", stateAt: 5 })).toMatchObject({
            state: "DELIVERED",
          });
        }
        expect(await take()).toEqual([]);
        await insertThem([wavy("all", { callbackOption: "ALL" })]);
        await insertThem([wavy("final", { callbackOption: "FINAL" })]);
        expect(await take()).toEqual(["all SENT", "final SENT"]);
      });

      it("hands over a sub-account's only, where one is asked for, and else all", async () => {
        const ofNone = wavy("none's");
        const subAccounts = ["sales", "sales 2", "sale"];
        await insertThem([
          ofNone,
          ...subAccounts.map((subAccount) => wavy(subAccount, { subAccount })),
        ]);
        expect(await take(10, "support")).toEqual([]);
        expect(await take(10, "sales")).toEqual(["sales SENT"]);
        expect(await take(10, "sales")).toEqual([]);
        await store.change(wavy("sales", { subAccount: "sales" }), {
          state: "DELIVERED",
          stateAt: 5,
        });
        expect(await take()).toEqual([
          "none's SENT",
          "sale SENT",
          "sales 2 SENT",
          "sales DELIVERED",
        ]);
        expect(await take(10, "sale")).toEqual([]);
      });

      it("hands over no other account's", async () => {
        await store.insert(wavy("theirs", { account: `${message.account}-2` }));
        expect(await take()).toEqual([]);
        expect(await store.takeChanged(`${message.account}-2`, 10)).toHaveLength(1);
      });

      it("hands over as many as are asked for, until there are no more", async () => {
        await store.insertMany(many(130));
        const taken: string[] = [];
        for (const limit of [1, 7, 110]) {
          const some = await take(limit);
          expect(some).toHaveLength(limit);
          taken.push(...some);
        }
        taken.push(...(await take()));
        expect(taken.sort()).toEqual(namesOf(many(130)));
        expect(await take()).toEqual([]);
      });

      it("hands over none past its removal, and what takes its place", async () => {
        const kept = wavy("kept", { removeAt: message.removeAt + 1 });
        await insertThem([wavy("gone"), kept]);
        clock.time = message.removeAt * 1_000;
        expect(await take()).toEqual(["kept SENT"]);
        await store.insert(wavy("gone", { traceId: "next", removeAt: kept.removeAt }));
        expect(await take()).toEqual(["gone SENT"]);
      });

      it("hands each to one of ten who ask at the same time", async () => {
        await store.insertMany(many(60));
        const callers = Array.from({ length: 10 }, () => store.takeChanged(message.account, 1_000));
        const taken = (await Promise.all(callers)).flat();
        expect(namesOf([...taken, ...(await store.takeChanged(message.account, 1_000))])).toEqual(
          namesOf(many(60)),
        );
      });

      it("loses no change that comes while others are taken, and tells none twice", async () => {
        const messages = many(20);
        await store.insertMany(messages);
        const [taken] = await Promise.all([
          Promise.all(
            Array.from({ length: 4 }, () => store.takeChanged(message.account, 1_000)),
          ).then((all) => all.flat()),
          Promise.all(messages.map((one) => store.change(one, { state: "DELIVERED", stateAt: 5 }))),
        ]);
        taken.push(...(await store.takeChanged(message.account, 1_000)));
        const names = namesOf(taken);
        expect(new Set(names).size).toBe(names.length);
        expect(names.filter((one) => one.endsWith("DELIVERED"))).toEqual(
          namesOf(messages.map((one) => ({ ...one, state: "DELIVERED" }))),
        );
      });
    });

    describe("with a message of several parts", () => {
      let long: Message;
      let parts: Part[];

      beforeEach(async () => {
        long = sampleLongMessage(clock.now(), { account: message.account, state: "SENT" });
        parts = long.parts ?? [];
        await store.insert(long);
      });

      const findLong = async () => present(await store.find(long.account, long.id));
      const withDelivered = (order: number) =>
        parts.map((part, index) =>
          index + 1 === order ? { ...part, state: "DELIVERED" as const } : part,
        );

      it("keeps the parts as they are, with and without what they may have", async () => {
        const changed: Part[] = [
          { length: 1, state: "SENT", carrierMessageId: "carrier-1", reason: "no-receipts" },
          { length: 2, state: "BLOCKED", reason: "content" },
          { length: 3, state: "QUEUED" },
        ];
        expect(await findLong()).toEqual(present(long));
        expect(await store.change(long, { parts: changed })).toMatchObject({ parts: changed });
        expect(await findLong()).toEqual(present({ ...long, parts: changed }));
        const one = { ...long, id: "one", traceId: "one", parts: changed };
        expect(await store.insertMany([one])).toEqual([one]);
        expect(await store.findMany(long.account, ["one"])).toEqual([present(one)]);
      });

      it("does not change parts that another has changed", async () => {
        expect(await store.change(long, { parts: withDelivered(1) })).toBeDefined();
        expect(await store.change(long, { parts: withDelivered(2) })).toBeUndefined();
        expect(await store.change(long, { state: "NOT_DELIVERED" })).toBeUndefined();
        expect(await findLong()).toEqual(present({ ...long, parts: withDelivered(1) }));
      });

      it("does not look at parts where none were seen", async () => {
        await store.change(long, { parts: withDelivered(1) });
        const { parts: _, ...seen } = long;
        expect(await store.change(seen, { state: "DELIVERED" })).toMatchObject({
          state: "DELIVERED",
        });
        expect(await findLong()).toMatchObject({ state: "DELIVERED", parts: withDelivered(1) });
      });

      it("lets one of many changes of the parts through", async () => {
        const changes = await Promise.all(
          [1, 2, 3].map((order) => store.change(long, { parts: withDelivered(order) })),
        );
        const [winner, ...others] = changes.filter((change) => change !== undefined);
        expect(others).toEqual([]);
        expect(await findLong()).toEqual(present(winner));
      });

      it("lets one of many through that differ in nothing but the parts", async () => {
        const changes = await Promise.all(
          [1, 2, 3].map((order) =>
            store.change(long, {
              state: "NOT_DELIVERED",
              stateAt: clock.now(),
              parts: withDelivered(order),
            }),
          ),
        );
        expect(changes.filter(Boolean)).toHaveLength(1);
      });
    });
  });
}
