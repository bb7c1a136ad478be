import { beforeEach, describe, expect, it } from "vitest";
import { UnreadableItemError } from "../../../functions/core/errors.ts";
import { refOf } from "../../../functions/core/message.ts";
import { createHandler } from "../../../functions/dispatch/handler.ts";
import { ManualClock, MemoryDispatchQueue, MemoryMessages } from "../../support/memory.ts";
import { RecordingLog } from "../../support/recording-log.ts";
import { sampleMessage } from "../../support/samples.ts";
import { dispatchDependencies, WillingCarrier } from "../core/support.ts";

describe("a group of messages", () => {
  const clock = new ManualClock();
  let messages: MemoryMessages;
  let carrier: WillingCarrier;
  let log: RecordingLog;

  beforeEach(() => {
    messages = new MemoryMessages(clock);
    carrier = new WillingCarrier();
    log = new RecordingLog();
  });

  const unreadable = new UnreadableItemError("a stored message cannot be read: version: 2");

  /** Hands over a group of three, of which these fail so. */
  async function handOver(failures: Readonly<Record<string, Error>>) {
    const group = ["a", "b", "c"].map((id) =>
      sampleMessage(clock.now(), { id, traceId: `trace-${id}` }),
    );
    for (const message of group) await messages.insert(message);
    const claim = messages.claim.bind(messages);
    messages.claim = async (ref, request) => {
      const failure = failures[ref.id];
      if (failure) throw failure;
      return claim(ref, request);
    };
    const dispatchQueue = new MemoryDispatchQueue();
    const handler = createHandler({
      ...dispatchDependencies({ messages, dispatchQueue, carrier, clock }),
      log,
    });
    return handler({ group: group.map(refOf) });
  }

  it("is handed over whole, and told in one line", async () => {
    expect(await handOver({})).toEqual({ group: 3, outcomes: { SENT: 3 } });
    expect(log.errors).toEqual([]);
  });

  it("comes again where one fails, and says of what", async () => {
    const failed = handOver({ b: new Error("throttled"), c: unreadable });
    await expect(failed).rejects.toThrow("2 of a group of 3 failed; trace-b: Error: throttled");
    await expect(failed).rejects.not.toThrow(UnreadableItemError);
    expect(log.errors.map(({ traceId }) => traceId)).toEqual(["trace-b", "trace-c"]);
    expect(messages.history.get("trace-a")?.at(-1)).toBe("SENT");
  });

  it("need not come again where nothing is left of it that can be read", async () => {
    const failed = handOver({ a: unreadable, c: unreadable });
    await expect(failed).rejects.toThrow(UnreadableItemError);
    await expect(failed).rejects.toThrow(/^2 of a group of 3 failed; trace-a: .*version: 2$/);
    expect(messages.history.get("trace-b")?.at(-1)).toBe("SENT");
  });
});
