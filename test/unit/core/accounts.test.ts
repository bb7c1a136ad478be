import { beforeEach, describe, expect, it } from "vitest";
import {
  addEndpoint,
  createAccount,
  InvalidRequestError,
  removeEndpoint,
  rotateCredential,
  setAccountState,
} from "../../../functions/core/accounts.ts";
import { matchesCredential } from "../../../functions/core/passwords.ts";
import { CountingRandomness, ManualClock, MemoryDirectory } from "../../support/memory.ts";

describe("accounts", () => {
  const clock = new ManualClock();
  const randomness = new CountingRandomness();
  let directory: MemoryDirectory;
  let deps: { directory: MemoryDirectory; clock: ManualClock; randomness: CountingRandomness };

  beforeEach(() => {
    directory = new MemoryDirectory();
    deps = { directory, clock, randomness };
  });

  const isValid = (account: string, password: string) =>
    matchesCredential(password, directory.accounts.get(account)?.credentials ?? [], clock.now());

  it("are created with a password that is stored only as a hash", async () => {
    const { password } = await createAccount(deps, { account: "acme", country: "br" });
    expect(isValid("acme", password)).toBe(true);
    expect(JSON.stringify([...directory.accounts.values()])).not.toContain(password);
  });

  it("take their country's zone unless they are given one", async () => {
    await createAccount(deps, { account: "acme", country: "BR" });
    await createAccount(deps, { account: "norte", country: "BR", timeZone: "America/Manaus" });
    expect(directory.accounts.get("acme")?.timeZone).toBe("America/Sao_Paulo");
    expect(directory.accounts.get("norte")?.timeZone).toBe("America/Manaus");
  });

  it.each([
    ["a colon in the name", { account: "a:b", country: "BR" }, /letters, digits/],
    ["an empty name", { account: "", country: "BR" }, /letters, digits/],
    ["an unknown country", { account: "acme", country: "XX" }, /not a country code/],
    [
      "an unknown zone",
      { account: "acme", country: "BR", timeZone: "Mars/Base" },
      /not a time zone/,
    ],
  ])("are not created with %s", async (_, request, message) => {
    await expect(createAccount(deps, request)).rejects.toThrow(message);
    await expect(createAccount(deps, request)).rejects.toThrow(InvalidRequestError);
  });

  it("are not created twice", async () => {
    const { password } = await createAccount(deps, { account: "acme", country: "BR" });
    await expect(createAccount(deps, { account: "acme", country: "BR" })).rejects.toThrow(
      /already/,
    );
    expect(isValid("acme", password)).toBe(true);
  });

  it("can be disabled and enabled", async () => {
    await createAccount(deps, { account: "acme", country: "BR" });
    await setAccountState(deps, "acme", "disabled");
    expect(directory.accounts.get("acme")?.state).toBe("disabled");
    await setAccountState(deps, "acme", "active");
    expect(directory.accounts.get("acme")?.state).toBe("active");
    await expect(setAccountState(deps, "nobody", "disabled")).rejects.toThrow(/no account/);
  });

  it("are not changed by two at the same time, so that neither undoes the other", async () => {
    const { password } = await createAccount(deps, { account: "acme", country: "BR" });
    const results = await Promise.allSettled([
      rotateCredential(deps, "acme", 0),
      setAccountState(deps, "acme", "disabled"),
    ]);
    expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    await rotateCredential(deps, "acme", 0);
    await setAccountState(deps, "acme", "disabled");
    expect(isValid("acme", password)).toBe(false);
    expect(directory.accounts.get("acme")?.state).toBe("disabled");
  });

  it("get a new password, the old one ending at once or after the overlap", async () => {
    const first = await createAccount(deps, { account: "acme", country: "BR" });
    const second = await rotateCredential(deps, "acme", 10);
    expect([isValid("acme", first.password), isValid("acme", second.password)]).toEqual([
      true,
      true,
    ]);
    clock.advance(10 * 60_000);
    expect([isValid("acme", first.password), isValid("acme", second.password)]).toEqual([
      false,
      true,
    ]);
    const third = await rotateCredential(deps, "acme", 0);
    expect([isValid("acme", second.password), isValid("acme", third.password)]).toEqual([
      false,
      true,
    ]);
    expect(directory.accounts.get("acme")?.credentials).toHaveLength(1);
  });

  it("have endpoints, added and removed", async () => {
    await createAccount(deps, { account: "acme", country: "BR" });
    const request = {
      account: "acme",
      url: "https://customer.example/status",
      events: ["sent" as const],
      callbackOption: "FINAL" as const,
    };
    const endpoint = await addEndpoint(deps, request, ["https"]);
    expect(await directory.listEndpoints("acme")).toEqual([endpoint]);
    await removeEndpoint(directory, "acme", endpoint.endpointId);
    expect(await directory.listEndpoints("acme")).toEqual([]);
    await expect(removeEndpoint(directory, "acme", endpoint.endpointId)).rejects.toThrow(
      /no endpoint/,
    );
  });

  it.each(["not a url", "ftp://customer.example/", "javascript:alert(1)"])(
    "have no endpoint at %s",
    async (url) => {
      await createAccount(deps, { account: "acme", country: "BR" });
      const request = {
        account: "acme",
        url,
        events: ["sent" as const],
        callbackOption: "ALL" as const,
      };
      await expect(addEndpoint(deps, request, ["https", "http"])).rejects.toThrow(
        /not an https or http URL/,
      );
    },
  );

  it("have endpoints of the protocols that the stage allows", async () => {
    await createAccount(deps, { account: "acme", country: "BR" });
    const request = {
      account: "acme",
      url: "http://customer.example/status",
      events: ["sent" as const],
      callbackOption: "ALL" as const,
    };
    await expect(addEndpoint(deps, request, ["https"])).rejects.toThrow(/not an https URL/);
    expect(await addEndpoint(deps, request, ["https", "http"])).toMatchObject({ url: request.url });
  });
});
