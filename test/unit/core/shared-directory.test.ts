import { expect, it } from "vitest";
import { shareDirectory } from "../../../functions/core/shared-directory.ts";
import { MemoryDirectory } from "../../support/memory.ts";
import { sampleAccount, sampleEndpoint } from "../../support/samples.ts";

/** A directory that counts how often it is asked, and can be away. */
class CountingDirectory extends MemoryDirectory {
  asked = 0;
  isAway = false;

  override async listEndpoints(account: string) {
    this.asked++;
    if (this.isAway) throw new Error("the directory is away");
    return super.listEndpoints(account);
  }
}

it("asks once for those who ask the same at the same time, and again afterwards", async () => {
  const directory = new CountingDirectory();
  directory.accounts.set("acme", sampleAccount());
  directory.endpoints.push(sampleEndpoint());
  const shared = shareDirectory(directory);
  const ask = (account: string) => shared.listEndpoints(account);
  const [one, same, other] = await Promise.all([ask("acme"), ask("acme"), ask("other")]);
  expect(one).toEqual([sampleEndpoint()]);
  expect(same).toEqual(one);
  expect(other).toEqual([]);
  expect(directory.asked).toBe(2);
  await ask("acme");
  expect(directory.asked).toBe(3);
  expect(await shared.findAccount("acme")).toEqual(sampleAccount());
  expect(await shared.findEndpoint("acme", "endpoint-1")).toEqual(sampleEndpoint());
});

it("remembers no failure", async () => {
  const directory = new CountingDirectory();
  const shared = shareDirectory(directory);
  directory.isAway = true;
  const failed = [shared.listEndpoints("acme"), shared.listEndpoints("acme")];
  for (const { status } of await Promise.allSettled(failed)) expect(status).toBe("rejected");
  directory.isAway = false;
  expect(await shared.listEndpoints("acme")).toEqual([]);
});
