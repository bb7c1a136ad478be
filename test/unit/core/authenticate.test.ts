import { beforeEach, describe, expect, it } from "vitest";
import {
  type Authenticate,
  CREDENTIAL_MEMORY_MS,
  createAuthenticate,
} from "../../../functions/core/authenticate.ts";
import { hashSecret } from "../../../functions/core/passwords.ts";
import { ManualClock, MemoryDirectory } from "../../support/memory.ts";
import { SAMPLE_PASSWORD, sampleAccount } from "../../support/samples.ts";

describe("authenticate", () => {
  const clock = new ManualClock();
  let directory: MemoryDirectory;
  let authenticate: Authenticate;

  beforeEach(() => {
    directory = new MemoryDirectory();
    directory.accounts.set("acme", sampleAccount());
    authenticate = createAuthenticate({ directory, clock });
  });

  it("answers the account for its name and password", async () => {
    expect(await authenticate("acme", SAMPLE_PASSWORD)).toEqual(sampleAccount());
  });

  it.each([
    ["a wrong password", "acme", "wrong"],
    ["no password", "acme", ""],
    ["an unknown account", "nobody", SAMPLE_PASSWORD],
  ])("refuses %s", async (_, account, password) => {
    expect(await authenticate(account, password)).toBeUndefined();
  });

  it("refuses a disabled account", async () => {
    directory.accounts.set("acme", sampleAccount({ state: "disabled" }));
    expect(await authenticate("acme", SAMPLE_PASSWORD)).toBeUndefined();
  });

  it("takes two passwords while one is being rotated out, then only the new one", async () => {
    const now = clock.now();
    directory.accounts.set(
      "acme",
      sampleAccount({
        credentials: [
          { hash: hashSecret("new"), createdAt: now },
          { hash: hashSecret("old"), createdAt: 0, validUntil: now + 1 },
        ],
      }),
    );
    expect(await authenticate("acme", "old")).toBeDefined();
    clock.advance(CREDENTIAL_MEMORY_MS + 1);
    expect(await authenticate("acme", "old")).toBeUndefined();
    expect(await authenticate("acme", "new")).toBeDefined();
  });

  it("remembers a verified credential for a minute from its verification, and no longer", async () => {
    await authenticate("acme", SAMPLE_PASSWORD);
    directory.accounts.set("acme", sampleAccount({ state: "disabled" }));
    clock.advance(CREDENTIAL_MEMORY_MS / 2);
    expect(await authenticate("acme", SAMPLE_PASSWORD)).toBeDefined();
    clock.advance(CREDENTIAL_MEMORY_MS / 2 - 1);
    expect(await authenticate("acme", SAMPLE_PASSWORD)).toBeDefined();
    expect(directory.lookUps).toBe(1);
    clock.advance(1);
    expect(await authenticate("acme", SAMPLE_PASSWORD)).toBeUndefined();
  });

  it("remembers no longer because the clock was set back", async () => {
    await authenticate("acme", SAMPLE_PASSWORD);
    directory.accounts.set("acme", sampleAccount({ state: "disabled" }));
    clock.advance(-3_600_000);
    expect(await authenticate("acme", SAMPLE_PASSWORD)).toBeUndefined();
  });

  it("does not ask the directory for what can be no account's name", async () => {
    expect(await authenticate("x".repeat(3_000), SAMPLE_PASSWORD)).toBeUndefined();
    expect(await authenticate("a#b", SAMPLE_PASSWORD)).toBeUndefined();
    expect(directory.lookUps).toBe(0);
  });

  it("does not remember failures", async () => {
    directory.accounts.clear();
    await authenticate("acme", SAMPLE_PASSWORD);
    directory.accounts.set("acme", sampleAccount());
    expect(await authenticate("acme", SAMPLE_PASSWORD)).toBeDefined();
  });

  it("does not let one account in with another's remembered password", async () => {
    directory.accounts.set("other", sampleAccount({ account: "other", credentials: [] }));
    await authenticate("acme", SAMPLE_PASSWORD);
    expect(await authenticate("other", SAMPLE_PASSWORD)).toBeUndefined();
  });
});
