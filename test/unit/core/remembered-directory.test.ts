import { beforeEach, describe, expect, it } from "vitest";
import { rememberDirectory } from "../../../functions/core/remembered-directory.ts";
import { ManualClock, MemoryDirectory } from "../../support/memory.ts";
import { sampleAccount, sampleEndpoint } from "../../support/samples.ts";
import { FaultyPorts } from "./support.ts";

let clock: ManualClock;
let directory: MemoryDirectory;
let asked: FaultyPorts;
let remembered: ReturnType<typeof rememberDirectory>;

beforeEach(() => {
  clock = new ManualClock();
  directory = new MemoryDirectory();
  directory.accounts.set("acme", sampleAccount());
  directory.endpoints.push(sampleEndpoint());
  asked = new FaultyPorts(() => undefined);
  remembered = rememberDirectory(asked.wrap(directory), clock);
});

/** Asks for both, which are either remembered or asked for. */
const findBoth = async () => [
  await remembered.findAccount("acme"),
  await remembered.findEndpoint("acme", "endpoint-1"),
];
const BOTH = ["findAccount", "findEndpoint"];

describe("a directory that remembers", () => {
  it("asks once in two seconds for an account and an endpoint that there are", async () => {
    for (const elapsed of [0, 1_000, 999]) {
      clock.advance(elapsed);
      expect(await findBoth()).toEqual([sampleAccount(), sampleEndpoint()]);
    }
    expect(asked.calls).toEqual(BOTH);
    clock.advance(1);
    await findBoth();
    expect(asked.calls).toEqual([...BOTH, ...BOTH]);
  });

  it("asks once for many who want to know at the same time", async () => {
    const found = await Promise.all(Array.from({ length: 80 }, findBoth));
    expect(found.flat()).toEqual(Array(80).fill([sampleAccount(), sampleEndpoint()]).flat());
    expect(asked.calls).toEqual(BOTH);
  });

  it("asks again after a question that failed", async () => {
    directory.findAccount = () => Promise.reject(new Error("away"));
    await expect(remembered.findAccount("acme")).rejects.toThrow("away");
    directory.findAccount = async () => sampleAccount();
    expect(await remembered.findAccount("acme")).toEqual(sampleAccount());
  });

  it("knows of a change, and of a removal, two seconds later", async () => {
    await findBoth();
    directory.accounts.set("acme", sampleAccount({ country: "US" }));
    directory.endpoints.length = 0;
    clock.advance(1_999);
    expect(await findBoth()).toEqual([sampleAccount(), sampleEndpoint()]);
    clock.advance(1);
    expect(await findBoth()).toEqual([sampleAccount({ country: "US" }), undefined]);
  });

  it("does not remember that there was none", async () => {
    directory.accounts.clear();
    directory.endpoints.length = 0;
    expect(await findBoth()).toEqual([undefined, undefined]);
    directory.accounts.set("acme", sampleAccount());
    directory.endpoints.push(sampleEndpoint());
    expect(await findBoth()).toEqual([sampleAccount(), sampleEndpoint()]);
  });

  it("remembers nothing for longer because the clock was set back", async () => {
    await findBoth();
    clock.advance(-1);
    await findBoth();
    expect(asked.calls).toEqual([...BOTH, ...BOTH]);
  });

  it("counts from when it asked, not from when it was answered", async () => {
    const slow = {
      findAccount: async (account: string) => {
        const found = await directory.findAccount(account);
        clock.advance(1_500);
        return found;
      },
    };
    remembered = rememberDirectory(
      asked.wrap(Object.assign(Object.create(directory), slow)),
      clock,
    );
    await remembered.findAccount("acme");
    clock.advance(500);
    await remembered.findAccount("acme");
    expect(asked.calls).toEqual(["findAccount", "findAccount"]);
  });

  it("tells accounts, and endpoints of the same name, apart", async () => {
    directory.endpoints.push(
      sampleEndpoint({ account: "other" }),
      sampleEndpoint({ endpointId: "endpoint-2" }),
    );
    await findBoth();
    expect(await remembered.findAccount("other")).toBeUndefined();
    for (const [account, endpointId] of [
      ["other", "endpoint-1"],
      ["acme", "endpoint-2"],
    ] as const) {
      expect(await remembered.findEndpoint(account, endpointId)).toMatchObject({
        account,
        endpointId,
      });
    }
  });

  it("asks again after an error", async () => {
    asked = new FaultyPorts((_, call) => (call === 0 ? "refused" : undefined));
    remembered = rememberDirectory(asked.wrap(directory), clock);
    await expect(remembered.findAccount("acme")).rejects.toThrow("refused");
    expect(await remembered.findAccount("acme")).toEqual(sampleAccount());
  });

  it("asks for an account's endpoints each time", async () => {
    expect(await remembered.listEndpoints("acme")).toHaveLength(1);
    directory.endpoints.push(sampleEndpoint({ endpointId: "endpoint-2" }));
    expect(await remembered.listEndpoints("acme")).toHaveLength(2);
  });
});
