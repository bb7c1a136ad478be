import { beforeEach, describe, expect, it } from "vitest";
import {
  addCarrierAccount,
  CARRIER_MEMORY_MS,
  createAuthenticateCarrier,
  removeCarrierAccount,
  rotateCarrierSecret,
} from "../../../functions/core/carrier-account.ts";
import { CountingRandomness, ManualClock } from "../../support/memory.ts";
import { MemoryCarrierAccounts } from "../../support/memory-carriers.ts";

const PROTOCOLS = ["sandbox", "kannel"];

let clock: ManualClock;
let carrierAccounts: MemoryCarrierAccounts;
let deps: Parameters<typeof addCarrierAccount>[0];

beforeEach(() => {
  clock = new ManualClock();
  carrierAccounts = new MemoryCarrierAccounts();
  deps = { carrierAccounts, clock, randomness: new CountingRandomness() };
});

const add = (carrier = "vivo", protocol = "sandbox") =>
  addCarrierAccount(deps, { carrier, protocol }, PROTOCOLS);

describe("carrier accounts", () => {
  it("are added with a secret of which the hash is kept", async () => {
    const { account, secret } = await add();
    expect(secret).toBe("secret-1");
    expect(await carrierAccounts.findCarrierAccount("vivo")).toEqual(account);
    expect(account).toMatchObject({ carrier: "vivo", protocol: "sandbox", revision: 0 });
    expect(JSON.stringify(account)).not.toContain(secret);
  });

  it.each(["", "Vivo", "-vivo", "vivo#1", "vi/vo", "v".repeat(33)])(
    "cannot be called %j",
    async (name) => {
      await expect(add(name)).rejects.toThrow(/name has 1 to 32/);
    },
  );

  it("are there once, and report in a way that there is", async () => {
    await add();
    await expect(add()).rejects.toThrow(/is a carrier account "vivo" already/);
    await expect(add("tim", "smoke")).rejects.toThrow(/sandbox or kannel/);
    expect(await carrierAccounts.listCarrierAccounts()).toHaveLength(1);
  });

  it("are removed once", async () => {
    await add();
    await removeCarrierAccount(carrierAccounts, "vivo");
    expect(await carrierAccounts.listCarrierAccounts()).toEqual([]);
    await expect(removeCarrierAccount(carrierAccounts, "vivo")).rejects.toThrow(/no carrier/);
    await expect(rotateCarrierSecret(deps, "vivo", 0)).rejects.toThrow(/no carrier account/);
  });

  it("are not changed by two at once", async () => {
    await add();
    carrierAccounts.updateCarrierAccount = async () => false;
    await expect(rotateCarrierSecret(deps, "vivo", 0)).rejects.toThrow(/by somebody else/);
  });
});

describe("authentication of carriers", () => {
  const authenticate = () => createAuthenticateCarrier(deps);

  it("knows a carrier by its secret, and by no other's", async () => {
    const { account, secret } = await add();
    const other = await add("tim");
    expect(await authenticate()("vivo", secret)).toEqual(account);
    for (const wrong of [other.secret, "", `${secret} `]) {
      expect(await authenticate()("vivo", wrong)).toBeUndefined();
    }
  });

  it("takes the old secret beside the new one for as long as it was told", async () => {
    const { secret: old } = await add();
    const { secret: fresh } = await rotateCarrierSecret(deps, "vivo", 10);
    clock.advance(10 * 60_000 - 1);
    expect(await authenticate()("vivo", old)).toBeDefined();
    clock.advance(1);
    expect(await authenticate()("vivo", old)).toBeUndefined();
    expect(await authenticate()("vivo", fresh)).toBeDefined();
  });

  it("asks once in a few seconds, also for carriers that there are not", async () => {
    const knows = authenticate();
    expect(await knows("vivo", "secret-1")).toBeUndefined();
    const { secret } = await add();
    clock.advance(CARRIER_MEMORY_MS - 1);
    expect(await knows("vivo", secret)).toBeUndefined();
    expect(carrierAccounts.lookUps).toBe(1);
    clock.advance(1);
    expect(await knows("vivo", secret)).toBeDefined();
    await knows("vivo", "wrong");
    await knows("vivo", secret);
    expect(carrierAccounts.lookUps).toBe(2);
  });

  it("remembers nothing for longer where the clock is set back, nor that it got no answer", async () => {
    const { secret } = await add();
    const knows = authenticate();
    await knows("vivo", secret);
    await removeCarrierAccount(carrierAccounts, "vivo");
    clock.advance(-1);
    expect(await knows("vivo", secret)).toBeUndefined();
    clock.advance(CARRIER_MEMORY_MS);
    const find = carrierAccounts.findCarrierAccount;
    carrierAccounts.findCarrierAccount = async () => {
      throw new Error("away");
    };
    await expect(knows("vivo", secret)).rejects.toThrow("away");
    carrierAccounts.findCarrierAccount = find;
    await add();
    expect(await knows("vivo", "secret-2")).toBeDefined();
  });
});
