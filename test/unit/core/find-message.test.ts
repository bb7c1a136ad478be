import { beforeEach, describe, expect, it } from "vitest";
import type { BatchRef } from "../../../functions/core/batch.ts";
import { expandBatch } from "../../../functions/core/expand-batch.ts";
import { findMessage, findMessageOrPart, partId } from "../../../functions/core/find-message.ts";
import type { Message } from "../../../functions/core/message.ts";
import {
  ManualClock,
  MemoryBatches,
  MemoryDispatchQueue,
  MemoryMessages,
} from "../../support/memory.ts";
import { sampleLongMessage, sampleMessage } from "../../support/samples.ts";

const batch: BatchRef = { account: "acme", batchId: "batch-1" };

describe("looking for a message", () => {
  let clock: ManualClock;
  let messages: MemoryMessages;
  let batches: MemoryBatches;

  beforeEach(() => {
    clock = new ManualClock();
    messages = new MemoryMessages(clock);
    batches = new MemoryBatches(clock);
  });

  const find = (id: string, account = "acme") => findMessage({ messages, batches }, account, id);
  const findPart = (id: string) => findMessageOrPart({ messages, batches }, "acme", id);
  async function givenStored<T extends Message>(message: T) {
    await messages.insert(message);
    return message;
  }
  async function givenOpen(message: Message) {
    await batches.keep(batch, [message]);
    await batches.open(batch);
    return message;
  }

  it("finds one that is stored", async () => {
    const message = await givenStored(sampleMessage(clock.now()));
    expect(await find("id-1")).toEqual(message);
  });

  it("finds one that is accepted in a batch, as it was accepted", async () => {
    const message = await givenOpen(sampleMessage(clock.now()));
    expect(await find("id-1")).toEqual(message);
  });

  it("finds the item where there is one, whatever the batch says", async () => {
    const message = await givenOpen(sampleMessage(clock.now(), { state: "SCHEDULED" }));
    await givenStored({ ...message, state: "CANCELED" });
    expect(await find("id-1")).toMatchObject({ state: "CANCELED" });
  });

  it("finds one whose batch is expanded and closed between the two looks", async () => {
    const message = await givenOpen(sampleMessage(clock.now()));
    const looks: string[] = [];
    const findStored = messages.find.bind(messages);
    const findOpen = batches.findOpen.bind(batches);
    messages.find = async (...asked) => {
      looks.push("stored");
      return findStored(...asked);
    };
    batches.findOpen = async (...asked) => {
      looks.push("open");
      const dispatchQueue = new MemoryDispatchQueue();
      await expandBatch({ messages, batches, dispatchQueue, clock }, batch);
      return findOpen(...asked);
    };
    expect(await find("id-1")).toEqual(message);
    expect(looks).toEqual(["stored", "open", "stored"]);
  });

  it("finds nothing by an unknown id, of another account, in a withdrawn batch, or past the retention", async () => {
    const message = await givenOpen(sampleMessage(clock.now()));
    await givenStored(sampleMessage(clock.now(), { id: "id-2" }));
    expect(await find("unknown")).toBeUndefined();
    for (const id of ["id-1", "id-2"]) expect(await find(id, "other")).toBeUndefined();
    clock.time = message.removeAt * 1_000;
    for (const id of ["id-1", "id-2"]) expect(await find(id)).toBeUndefined();
    clock.time = message.acceptedAt;
    await batches.withdraw(batch);
    expect(await find("id-1")).toBeUndefined();
  });

  it("passes on what a store throws, so that nobody takes it for unknown", async () => {
    batches.findOpen = () => Promise.reject(new Error("throttled"));
    await expect(find("id-1")).rejects.toThrow("throttled");
  });

  describe("by the id of a part", () => {
    it("names parts as the document does", () => {
      expect(partId("A", 1)).toBe("A_001");
      expect(partId("A", 12)).toBe("A_012");
    });

    it("finds the part, and the message that it is of", async () => {
      const long = sampleLongMessage(clock.now());
      const parts = long.parts?.map((part, i) => ({ ...part, carrierMessageId: `c-${i + 1}` }));
      const message = await givenStored({ ...long, ...(parts && { parts }) });
      expect(await findPart("id-1_001")).toEqual({ message, part: parts?.[0] });
      expect(await findPart("id-1_003")).toEqual({ message, part: parts?.[2] });
      expect(await findPart("id-1")).toEqual({ message });
    });

    it("finds the part of a message that is accepted in a batch", async () => {
      const message = await givenOpen(sampleLongMessage(clock.now()));
      expect(await findPart("id-1_002")).toEqual({ message, part: message.parts?.[1] });
    });

    it.each(["id-1_000", "id-1_004", "id-1_999", "id-1_1", "id-1_0001", "id-1-001", "_001"])(
      "finds nothing by %s",
      async (id) => {
        await givenStored(sampleLongMessage(clock.now()));
        expect(await findPart(id)).toBeUndefined();
      },
    );

    it("finds nothing by the id of a part of a message that has none", async () => {
      await givenStored(sampleMessage(clock.now()));
      expect(await findPart("id-1_001")).toBeUndefined();
    });

    it("prefers a message whose own id looks like that of a part", async () => {
      await givenStored(sampleLongMessage(clock.now()));
      const own = await givenStored(sampleMessage(clock.now(), { id: "id-1_002" }));
      expect(await findPart("id-1_002")).toEqual({ message: own });
      expect(await findPart("id-1_001")).toMatchObject({ message: { id: "id-1" } });
    });

    it("finds the part of a message whose own id looks like that of a part, or has several lines", async () => {
      await givenStored(sampleLongMessage(clock.now(), { id: "id-1_002" }));
      await givenStored(sampleLongMessage(clock.now(), { id: "a\nb" }));
      expect(await findPart("id-1_002_003")).toMatchObject({ message: { id: "id-1_002" } });
      expect(await findPart("a\nb_001")).toMatchObject({ message: { id: "a\nb" } });
    });
  });
});
