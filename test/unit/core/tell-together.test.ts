import { beforeEach, describe, expect, it } from "vitest";
import type { Endpoint } from "../../../functions/core/account.ts";
import {
  type EndpointGroup,
  MOST_TOLD_TOGETHER,
} from "../../../functions/core/callback-delivery.ts";
import { deliverTogether } from "../../../functions/core/deliver-callbacks.ts";
import {
  type MessageStatusChanged,
  messageReceived,
  messageStatusChanged,
  type TorpedoEvent,
} from "../../../functions/core/events.ts";
import type { WebhookResult } from "../../../functions/core/ports.ts";
import { tellTogether } from "../../../functions/core/tell-together.ts";
import { answered } from "../../support/memory.ts";
import { sampleEndpoint, sampleMessage, sampleMo } from "../../support/samples.ts";
import { CallbackWorld, DAY, failed, MINUTE, SECOND } from "../callback/support.ts";
import { FAULTS, FaultyPorts } from "./support.ts";

let world: CallbackWorld;
let startedAt: number;

function begin(endpoint: Partial<Endpoint> = {}) {
  world = new CallbackWorld(endpoint);
  startedAt = world.clock.now();
}
beforeEach(() => begin());

const sent = (index = 0): MessageStatusChanged =>
  messageStatusChanged(
    sampleMessage(startedAt, { traceId: `trace-${index}`, state: "SENT", sentAt: startedAt }),
  );
const delivered = (index = 0): MessageStatusChanged =>
  messageStatusChanged(
    sampleMessage(startedAt, { traceId: `trace-${index}`, state: "DELIVERED", sentAt: startedAt }),
  );
const many = <T>(count: number, of: (index: number) => T) =>
  Array.from({ length: count }, (_, index) => of(index));

const groupOf = (events: readonly TorpedoEvent[], more: Partial<EndpointGroup> = {}) => ({
  account: "acme",
  endpointId: "endpoint-1",
  events: [...events],
  since: startedAt,
  ...more,
});
const tell = (
  events: readonly TorpedoEvent[],
  { isRedelivery = false, ...more }: Partial<EndpointGroup> & { isRedelivery?: boolean } = {},
) => tellTogether(world.deps, groupOf(events, more), events, isRedelivery);
const kinds = async (told: ReturnType<typeof tell>) => (await told).map(({ kind }) => kind);
const requests = () => world.webhook.requests.map(({ body }) => body);
const states = () => {
  const all = world.deliveries
    .all()
    .map(({ subject, level, state }) => `${subject} ${level} ${state}`);
  return all.sort();
};
/** The group that came back, when its time has come. */
const comesBack = () => {
  const { group, delaySeconds } = world.queue.groups.pop() ?? {};
  world.clock.advance((delaySeconds ?? 0) * SECOND);
  return group as EndpointGroup & { events: TorpedoEvent[] };
};

/** Answers each request in its turn, and from then on with the last. */
function answersInTurn(...results: WebhookResult[]) {
  let asked = 0;
  const { webhook } = world;
  const send = webhook.send.bind(webhook);
  webhook.send = async (request) => {
    await send(request);
    return results[Math.min(asked++, results.length - 1)] as WebhookResult;
  };
}

describe("what an endpoint is told together", () => {
  it("is stored as told, with its attempt, and asks for nothing that is not needed", async () => {
    begin({ callbackOption: "FINAL" });
    const ports = new FaultyPorts(() => undefined);
    const deps = {
      ...world.deps,
      deliveries: ports.wrap(world.deliveries),
      healths: ports.wrap(world.healths),
      queue: ports.wrap(world.queue),
    };
    const events = many(24, delivered);
    world.clock.advance(1_500);
    const told = await tellTogether(deps, groupOf(events), events, false);
    expect(ports.calls).toEqual(["find", "insertTold"]);
    expect(told).toMatchObject(
      Array(24).fill({ kind: "delivered", made: { result: answered(200), sinceChangeMs: 1_500 } }),
    );
    expect(requests()).toEqual(events.map(({ eventId }) => eventId));
    const now = world.clock.now();
    expect(world.deliveries.all()[7]).toEqual({
      version: 1,
      account: "acme",
      endpointId: "endpoint-1",
      subject: "trace-7",
      level: "delivered",
      event: events[7],
      state: "delivered",
      turn: 2,
      step: 0,
      attempts: [{ at: now, durationMs: 1, status: 200, answer: "" }],
      createdAt: now,
      deadline: now + DAY,
      settledAt: now,
      removeAt: (startedAt + 7 * DAY) / 1_000,
    });
  });

  it("can be an MO", async () => {
    const mo = messageReceived(sampleMo(startedAt));
    expect(await kinds(tell([mo]))).toEqual(["delivered"]);
    expect(states()).toEqual(["mo-23190501 received delivered"]);
  });

  it("is told once where it stands there twice", async () => {
    expect(await kinds(tell([sent(), sent()]))).toEqual(["delivered"]);
    expect(requests()).toHaveLength(1);
  });

  it("is tried again like any other where it fails, without the others' noticing", async () => {
    answersInTurn(answered(200), answered(500), answered(200));
    const told = await tell(many(3, sent));
    expect(told.map(({ kind }) => kind)).toEqual(["delivered", "will-retry", "delivered"]);
    const turn = { subject: "trace-1", level: "sent", turn: 1, aside: true };
    expect(world.queue.later).toMatchObject([{ turn, notBefore: startedAt + 5 * SECOND }]);
    expect(await world.find(told[1]?.key as never)).toMatchObject({
      state: "pending",
      turn: 1,
      step: 1,
      attempts: [{ status: 500 }],
      createdAt: startedAt,
      deadline: startedAt + DAY,
    });
    // Once for the failure, once for what succeeded after it.
    expect(await world.health()).toMatchObject({ failures: 0, revision: 2 });
    answersInTurn(answered(200));
    expect(await world.takeNext()).toMatchObject({ kind: "delivered" });
    expect((await world.find(told[1]?.key as never)).attempts).toHaveLength(2);
  });

  it("stops where the endpoint answers no more: the rest waits as deliveries", async () => {
    answersInTurn(failed("timeout"));
    const told = await tell(many(20, sent));
    expect(told.filter(({ kind }) => kind === "will-retry")).toHaveLength(5);
    expect(told.filter(({ kind }) => kind === "stored")).toHaveLength(15);
    expect(requests()).toHaveLength(5);
    expect(world.queue.turns).toHaveLength(15);
    expect(world.deliveries.all()).toHaveLength(20);
  });

  it("disables the endpoint at its wish, and gives up what that was asked with", async () => {
    answersInTurn(answered(410));
    const told = await tell(many(2, sent));
    expect(told).toMatchObject([{ kind: "given-up", disabled: true }, { kind: "stored" }]);
    expect(world.bus.events).toHaveLength(1);
    expect(world.queue.givenUp).toMatchObject([{ turn: { subject: "trace-0", turn: 0 } }]);
    expect(states()).toEqual(["trace-0 sent failed", "trace-1 sent pending"]);
  });

  it("leaves out what cannot be written, with the reason", async () => {
    const { format } = world.deps;
    const deps = {
      ...world.deps,
      format: (...args: Parameters<typeof format>) => {
        if (args[0].eventId.startsWith("trace-1")) throw new Error("no such word");
        return format(...args);
      },
    };
    const events = many(3, sent);
    const told = await tellTogether(deps, groupOf(events), events, false);
    expect(told.map(({ kind }) => kind)).toEqual(["delivered", "unwritable", "delivered"]);
    const cause = "there is no request for it: no such word";
    expect(world.queue.givenUp).toMatchObject([{ turn: { subject: "trace-1" }, cause }]);
    expect(await world.find(told[1]?.key as never)).toMatchObject({ state: "failed", cause });
  });

  it.each([
    ["paused", () => world.setState("paused")],
    ["disabled", () => world.setState("disabled")],
    ["known not to answer", () => world.setHealth({ openUntil: startedAt + MINUTE })],
    ["about to be tried after a break", () => world.setHealth({ openUntil: startedAt - 1 })],
    ["slow", () => world.setHealth({ slowUntil: startedAt + MINUTE })],
    ["gone", async () => world.directory.endpoints.splice(0)],
    ["of nobody", async () => world.directory.accounts.clear()],
  ] as const)("becomes deliveries where the endpoint is %s", async (_, arrange) => {
    await arrange();
    expect(await kinds(tell(many(3, sent)))).toEqual(["stored", "stored", "stored"]);
    expect(requests()).toEqual([]);
    expect(world.queue.turns.map(({ subject, turn }) => [subject, turn])).toEqual(
      many(3, (index) => [`trace-${index}`, 0]),
    );
    expect(world.deliveries.all()).toMatchObject(
      Array(3).fill({ state: "pending", turn: 0, createdAt: startedAt }),
    );
  });

  it("notes an answer that takes long", async () => {
    answersInTurn({ ...answered(200), durationMs: 4 * SECOND });
    await tell([sent()]);
    expect(await world.health()).toMatchObject({ slowUntil: startedAt + MINUTE });
  });
});

describe("what there is no time for", () => {
  const takeAll = async () => {
    for (const _ of [1, 2]) await world.slots.acquire(sampleEndpoint(), startedAt + 2 * DAY, false);
  };

  it("comes again as it was, the later the longer it has waited", async () => {
    await takeAll();
    const events = many(3, sent);
    expect(await kinds(tell(events))).toEqual(["busy", "busy", "busy"]);
    expect(world.queue.groups).toEqual([{ group: groupOf(events), delaySeconds: 2 }]);
    expect(world.deliveries.all()).toEqual([]);
    world.clock.advance(MINUTE);
    await tell(events);
    expect(world.queue.groups.at(-1)?.delaySeconds).toBe(45);
    world.slots.release({ ...sampleEndpoint(), slot: 0, width: 1, until: startedAt + 2 * DAY });
    const back = comesBack();
    expect(await kinds(tell(back.events, { since: back.since }))).toEqual(
      Array(3).fill("delivered"),
    );
  });

  it("comes again that is left when others' answers took all of it", async () => {
    const { webhook } = world;
    const send = webhook.send.bind(webhook);
    webhook.send = async (request) => {
      world.clock.advance(5 * SECOND);
      return send(request);
    };
    expect(await kinds(tell(many(5, sent)))).toEqual([
      ...Array(3).fill("delivered"),
      "busy",
      "busy",
    ]);
    expect(comesBack().events).toEqual([sent(3), sent(4)]);
  });

  it("becomes deliveries after a day, which are given up", async () => {
    await takeAll();
    world.clock.advance(DAY + 1);
    expect(await kinds(tell([sent()]))).toEqual(["stored"]);
    const [turn] = world.queue.turns;
    expect(await world.take(turn as never)).toEqual({ kind: "given-up" });
  });
});

describe("of one message", () => {
  it("what was sent is told first, whatever the order", async () => {
    await tell([delivered(0), delivered(1), sent(1), sent(0)]);
    for (const index of [0, 1]) {
      expect(requests().filter((body) => body?.startsWith(`trace-${index}`))).toEqual([
        sent(index).eventId,
        delivered(index).eventId,
      ]);
    }
  });

  it("the receipt waits where what was sent was not taken", async () => {
    answersInTurn(answered(500));
    expect(await kinds(tell([sent(), delivered()]))).toEqual(["will-retry", "stored"]);
    expect(await world.take(world.queue.turns[0] as never)).toEqual({ kind: "waiting" });
    answersInTurn(answered(200));
    await world.takeNext();
    expect(await world.take(world.queue.turns[1] as never)).toMatchObject({ kind: "delivered" });
    expect(requests()).toEqual([sent().eventId, sent().eventId, delivered().eventId]);
  });

  it("the receipt is told at once where what was sent was taken before", async () => {
    await tell([sent()]);
    expect(await kinds(tell([delivered()]))).toEqual(["delivered"]);
  });

  it("the receipt waits for who is about to tell what was sent, and then for nobody", async () => {
    for (const waited of [0, 2, 4]) {
      expect(await kinds(tell([delivered()]))).toEqual(["early"]);
      expect(world.clock.now()).toBe(startedAt + waited * SECOND);
      comesBack();
    }
    await tell([sent()]);
    expect(await kinds(tell([delivered()]))).toEqual(["delivered"]);
    expect(requests()).toEqual([sent().eventId, delivered().eventId]);
  });

  it("what was sent is told in the end by who has the receipt, where nobody else does", async () => {
    world.clock.advance(15 * SECOND);
    expect(await kinds(tell([delivered()]))).toEqual(["stored"]);
    expect(world.queue.turns).toMatchObject([{ level: "delivered" }, { level: "sent" }]);
    expect(world.queue.delayed).toMatchObject([{ turn: { level: "sent" }, delaySeconds: 15 }]);
    const [second, first] = world.queue.turns;
    expect(await world.take(second as never)).toEqual({ kind: "waiting" });
    expect(await kinds(tell([sent()]))).toEqual(["known"]);
    expect(await world.take(first as never)).toMatchObject({ kind: "delivered" });
    expect(await world.take(world.queue.turns[2] as never)).toMatchObject({ kind: "delivered" });
    expect(requests()).toEqual([sent().eventId, delivered().eventId]);
  });

  it("last words only are told in order, too, where one took the place of another", async () => {
    begin({ callbackOption: "FINAL" });
    const last = sampleMessage(startedAt, {
      traceId: "trace-0",
      state: "SENT",
      reason: "no-receipts",
      sentAt: startedAt,
    });
    const after = messageStatusChanged(
      { ...last, state: "DELIVERED", reason: undefined, stateAt: startedAt + SECOND },
      last,
    );
    expect(await kinds(tell([after]))).toEqual(["early"]);
    await tell([messageStatusChanged(last)]);
    expect(await kinds(tell([after]))).toEqual(["delivered"]);
    expect(requests()).toEqual([messageStatusChanged(last).eventId, after.eventId]);
  });

  it("a receipt waits for nobody where last words only are wanted, and it is the first", async () => {
    begin({ callbackOption: "FINAL" });
    expect(await kinds(tell([delivered()]))).toEqual(["delivered"]);
  });
});

describe("what was told, or is on its way, already", () => {
  it("is not told again where the group comes again", async () => {
    answersInTurn(answered(200), answered(500));
    const events = many(2, sent);
    await tell(events);
    world.clock.advance(2 * MINUTE);
    for (const again of [{ isRedelivery: true }, { again: true as const }]) {
      expect(await kinds(tell(events, again))).toEqual(["known", "known"]);
    }
    expect(requests()).toHaveLength(2);
    // It may be that nobody got to its next turn; which comes no earlier for that.
    expect(world.queue.later.map(({ turn }) => turn)).toEqual(
      Array(3).fill({ ...world.queue.later[0]?.turn }),
    );
    const dues = world.queue.later.map(({ notBefore }) => notBefore - world.clock.now());
    expect(Math.min(...dues.slice(1))).toBe(MINUTE);
  });

  it("is told again by a copy that did not look, and stored once", async () => {
    begin({ callbackOption: "FINAL" });
    await tell([delivered()]);
    const before = world.deliveries.all();
    world.clock.advance(1);
    expect(await kinds(tell([delivered()]))).toEqual(["delivered"]);
    expect(world.deliveries.all()).toEqual(before);
    expect(requests()).toHaveLength(2);
  });

  it("ends that is on its way, where a copy was taken", async () => {
    begin({ callbackOption: "FINAL" });
    const turn = await world.begin({ subject: "trace-0", level: "delivered", event: delivered() });
    expect(await kinds(tell([delivered()]))).toEqual(["delivered"]);
    expect(await world.find(turn)).toMatchObject({
      state: "delivered",
      attempts: [{ status: 200 }],
      settledAt: startedAt,
    });
    expect(await world.take(turn)).toEqual({ kind: "stale" });
  });
});

describe("a group", () => {
  it("keeps what it came to where one of its requests cannot be made", async () => {
    const { webhook } = world;
    const send = webhook.send.bind(webhook);
    webhook.send = async (request) => {
      if (request.body?.startsWith("trace-1")) throw new Error("nothing works");
      return send(request);
    };
    const events = many(3, sent);
    await expect(tell(events)).rejects.toThrow("nothing works");
    expect(states()).toEqual(["trace-0 sent delivered", "trace-2 sent delivered"]);
    webhook.send = send;
    expect(await kinds(tell(events, { isRedelivery: true }))).toEqual([
      "known",
      "delivered",
      "known",
    ]);
    expect(requests()).toHaveLength(3);
  });

  it("is completed when it comes again, whatever call fails and however", async () => {
    const run = async (faultAt: number, fault: (typeof FAULTS)[number]) => {
      begin();
      answersInTurn(answered(200), answered(500), answered(200));
      const ports = new FaultyPorts((_, call) => (call === faultAt ? fault : undefined));
      const deps = {
        ...world.deps,
        directory: ports.wrap(world.directory),
        deliveries: ports.wrap(world.deliveries),
        healths: ports.wrap(world.healths),
        queue: ports.wrap(world.queue),
      };
      const events = [sent(0), sent(1), delivered(1), delivered(2)];
      world.clock.advance(MINUTE);
      const told = tellTogether(deps, groupOf(events), events, false);
      if (
        await told.then(
          () => false,
          () => true,
        )
      )
        await tell(events, { isRedelivery: true });
      const turns = [...world.queue.turns, ...world.queue.later.map(({ turn }) => turn)];
      const onTheirWay = new Set(turns.map(({ subject, level }) => `${subject} ${level}`));
      expect(world.deliveries.all()).toHaveLength(5);
      for (const { subject, level, state } of world.deliveries.all()) {
        if (state === "delivered") continue;
        expect(state).toBe("pending");
        expect(onTheirWay).toContain(`${subject} ${level}`);
      }
      return ports.calls.length;
    };
    for (const fault of FAULTS) {
      const all = await run(-1, fault);
      for (let call = 0; call < all; call++) await run(call, fault);
    }
  });
});

describe("events of an account", () => {
  it("go to every endpoint that wants some, in few groups that are about as large as each other", async () => {
    world.directory.endpoints.push(
      sampleEndpoint({ endpointId: "endpoint-2", events: ["delivered"] }),
      sampleEndpoint({ endpointId: "endpoint-3", callbackOption: "NONE" }),
      sampleEndpoint({ endpointId: "endpoint-4", account: "other" }),
    );
    const events = many(50, (index) => (index % 2 === 0 ? sent(index) : delivered(index)));
    const groups = await deliverTogether(world.deps, "acme", events, false);
    expect(world.queue.groups.map(({ group }) => group)).toEqual(groups);
    const sizes = groups.map(({ endpointId, events: told }) => [endpointId, told.length]);
    expect(sizes).toEqual([
      ["endpoint-1", 17],
      ["endpoint-1", 17],
      ["endpoint-1", 16],
      ["endpoint-2", 13],
      ["endpoint-2", 12],
    ]);
    expect(Math.max(...groups.map(({ events: told }) => told.length))).toBeLessThanOrEqual(
      MOST_TOLD_TOGETHER,
    );
    expect(groups.slice(0, 3).flatMap(({ events: told }) => told)).toEqual(events);
    expect(groups.every(({ since, again }) => since === startedAt && !again)).toBe(true);
    expect(world.deliveries.all()).toEqual([]);
  });

  it("keep those of one message together", async () => {
    const events = [...many(24, sent), ...many(24, delivered)];
    const [one, other] = await deliverTogether(world.deps, "acme", events, false);
    expect(one?.events).toEqual(many(12, (index) => [sent(index), delivered(index)]).flat());
    expect(other?.events).toHaveLength(24);
  });

  it("say so where they were here before, and ask no queue where nobody wants them", async () => {
    const [group] = await deliverTogether(world.deps, "acme", [sent()], true);
    expect(group).toMatchObject({ again: true });
    world.queue.refuses = true;
    expect(await deliverTogether(world.deps, "other", [sent()], false)).toEqual([]);
  });
});
