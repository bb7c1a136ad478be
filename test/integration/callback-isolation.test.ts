import { expect, it } from "vitest";
import { type CallbackReceiver, receiversOfTests } from "./support/callback-receiver.ts";
import { eventually } from "./support/eventually.ts";
import { callbacks, TestAccount } from "./support/stack.ts";

const startReceiver = receiversOfTests();

const GOOD_ONES = 8;
const MESSAGES = 3;

/** An account with endpoints that answer, and others that are added before them. */
async function accountWith(others: readonly string[], good: CallbackReceiver) {
  const account = await TestAccount.create();
  const urls = [
    ...others,
    ...Array.from({ length: GOOD_ONES }, (_, index) => `${good.url}/${index + 1}`),
  ];
  const added = await Promise.all(
    urls.map((url) => account.addEndpoint(url, { callbackOption: "FINAL" })),
  );
  return { account, endpoints: added.map(({ endpoint }) => endpoint) };
}

/** Sends messages in one request, and waits until each of the good endpoints was told of each. */
async function tellAll(account: TestAccount, good: CallbackReceiver, name: string) {
  const ids = Array.from({ length: MESSAGES }, (_, index) => `${name}-${index}`);
  const messages = ids.map((correlationId) => ({ destination: "5519900001111", correlationId }));
  await account.sendMany(messages);
  const expected = Array.from({ length: GOOD_ONES }, (_, index) => `/callback/${index + 1}`)
    .flatMap((path) => ids.map((id) => `${path} ${id}`))
    .sort();
  const told = ({ path, body }: (typeof good.received)[number]) =>
    `${path} ${body.callbackMtRequest.id}`;
  await eventually(() => {
    expect([...new Set(good.received.map(told))].sort()).toEqual(expected);
  });
  return good.received.map(({ at, body }) => at - Date.parse(body.callbackMtRequest.received));
}

function describeDelays(delays: readonly number[]): string {
  const sorted = delays.toSorted((one, other) => one - other);
  return `median ${sorted[Math.floor(sorted.length / 2)]} ms, longest ${sorted.at(-1)} ms`;
}

it("an endpoint that hangs and one that is dead cost eight others nothing", async () => {
  const [alone, beside, hanging, dead] = await Promise.all([
    startReceiver(),
    startReceiver(),
    startReceiver(),
    startReceiver(),
  ]);
  hanging.otherwise = "never";
  const others = [hanging.url, dead.url];
  dead.stop();

  const without = await accountWith([], alone);
  const delaysAlone = await tellAll(without.account, alone, "alone");
  const { account, endpoints } = await accountWith(others, beside);
  const delaysBeside = await tellAll(account, beside, "beside");

  const attemptsAt = async (index: number) => {
    const endpoint = endpoints[index];
    if (!endpoint) throw new Error("there is no such endpoint");
    const page = { before: Number.MAX_SAFE_INTEGER, limit: MESSAGES };
    return (await callbacks.deliveries.list(endpoint, page)).flatMap(({ attempts }) => attempts);
  };
  await eventually(async () => {
    expect(await attemptsAt(0)).toContainEqual(expect.objectContaining({ failure: "timeout" }));
    expect(await attemptsAt(1)).toContainEqual(
      expect.objectContaining({ failure: "ECONNREFUSED" }),
    );
  });
  const told = beside.received.map(({ at }) => at);
  // All were told of everything while the first request to the one that hangs was waiting for its answer.
  expect(hanging.received[0]?.at).toBeLessThan(Math.max(...told));
  expect(Math.max(...told)).toBeLessThan(Math.min(...hanging.givenUpAt));
  hanging.stop();
  console.info(
    `from "delivered" to the callback, ${GOOD_ONES} endpoints, ${MESSAGES} messages:\n` +
      `  alone                           ${describeDelays(delaysAlone)}\n` +
      `  beside one that hangs, one dead ${describeDelays(delaysBeside)}`,
  );
});
