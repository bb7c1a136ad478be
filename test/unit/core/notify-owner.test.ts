import { beforeEach, describe, expect, it } from "vitest";
import type { EndpointDisabled } from "../../../functions/core/events.ts";
import { type Mail, notifyOwner } from "../../../functions/core/notify-owner.ts";
import type { User } from "../../../functions/core/user.ts";
import { sampleUser } from "../../support/customer-samples.ts";
import { MemoryDirectory } from "../../support/memory.ts";
import { MemoryUsers } from "../../support/memory-customers.ts";
import { sampleAccount } from "../../support/samples.ts";

const event: EndpointDisabled = {
  version: 1,
  eventId: "endpoint-1.disabled.1795305600000",
  account: "acme",
  endpointId: "endpoint-1",
  origin: "https://acme.example:8443",
  reason: "failing",
  failingSince: "2026-11-17T12:00:00.000Z",
  at: "2026-11-22T12:00:00.000Z",
};

describe("the owner of an endpoint that was disabled", () => {
  let directory: MemoryDirectory;
  let users: MemoryUsers;
  let sent: Mail[];
  const mailer = {
    send: async (mail: Mail) => {
      sent.push(mail);
    },
  };
  const notify = (overrides: Partial<EndpointDisabled> = {}) =>
    notifyOwner({ directory, users, mailer }, { ...event, ...overrides });

  beforeEach(() => {
    directory = new MemoryDirectory();
    directory.accounts.set("acme", sampleAccount());
    users = new MemoryUsers();
    sent = [];
  });
  const givenUsers = async (...given: Partial<User>[]) => {
    for (const [index, user] of given.entries()) {
      await users.insertUser(sampleUser({ username: `user-${index}`, ...user }));
    }
  };

  it("is written to at the account's address, and nobody else is", async () => {
    directory.accounts.set("acme", sampleAccount({ email: "ops@acme.example" }));
    await givenUsers({ email: "admin@acme.example" });
    expect(await notify()).toEqual({ recipients: 1 });
    expect(sent.map(({ to }) => to)).toEqual([["ops@acme.example"]]);
  });

  it("is the active administrators where the account has no address, in one mail", async () => {
    await givenUsers(
      { email: "a@acme.example" },
      { email: "b@acme.example" },
      { email: undefined },
      { email: "gone@acme.example", state: "disabled" },
      { email: "regular@acme.example", role: "regular", subAccount: "Sales" },
      { email: "other@other.example", account: "other" },
    );
    expect(await notify()).toEqual({ recipients: 2 });
    expect(sent.map(({ to }) => to)).toEqual([["a@acme.example", "b@acme.example"]]);
  });

  it("is never more than SES takes in one mail", async () => {
    await givenUsers(
      ...Array.from({ length: 60 }, (_, index) => ({ email: `user-${index}@acme.example` })),
    );
    expect(await notify()).toEqual({ recipients: 50 });
    expect(sent.map(({ to }) => new Set(to).size)).toEqual([50]);
  });

  it.each([
    ["nobody has an address", {}],
    ["the account is gone", { account: "gone" }],
  ])("cannot be written to where %s", async (_, overrides) => {
    expect(await notify(overrides)).toEqual({ recipients: 0 });
    expect(sent).toEqual([]);
  });

  it("is written to again where the mail was not taken", async () => {
    directory.accounts.set("acme", sampleAccount({ email: "ops@acme.example" }));
    const failing = { send: async () => Promise.reject(new Error("away")) };
    await expect(notifyOwner({ directory, users, mailer: failing }, event)).rejects.toThrow("away");
  });

  describe("is told", () => {
    const textFor = async (country: string, overrides: Partial<EndpointDisabled> = {}) => {
      directory.accounts.set("acme", sampleAccount({ email: "ops@acme.example", country }));
      await notify(overrides);
      return `${sent[0]?.subject}\n${sent[0]?.text}`;
    };

    it.each(["BR", "US"])("what to know and to do, in %s", async (country) => {
      const text = await textFor(country, { subAccount: "Sales" });
      expect(text).toContain("https://acme.example:8443/…\n");
      for (const said of [
        "acme",
        "endpoint-1",
        "Sales",
        "2026-11-22T12:00:00.000Z",
        "2026-11-17T12:00:00.000Z",
        "PUT /admin/v1/endpoints/endpoint-1/state",
        '{"state":"active"}',
        "POST /admin/v1/endpoints/endpoint-1/replay",
        '{"since":"2026-11-17T12:00:00.000Z"}',
        "endpoint enable --account acme --endpoint endpoint-1",
        "callbacks replay --account acme --endpoint endpoint-1 --since 2026-11-17T12:00:00.000Z",
      ]) {
        expect(text).toContain(said);
      }
    });

    it("in Portuguese in Brazil, and in English elsewhere", async () => {
      expect(await textFor("BR")).toContain("Callbacks para acme.example:8443 foram desativados");
      sent = [];
      expect(await textFor("PT")).toContain("Callbacks to acme.example:8443 are disabled");
    });

    it.each([
      ["BR", "410", "cinco dias"],
      ["US", "410", "five days"],
    ])("why, in %s", async (country, gone, failing) => {
      const text = await textFor(country, { reason: "gone", failingSince: undefined });
      expect(text).toContain(gone);
      expect(text).not.toContain(failing);
      expect(text).not.toContain("undefined");
      expect(text).toContain('{"since":"2026-11-22T12:00:00.000Z"}');
      sent = [];
      expect(await textFor(country)).toContain(failing);
    });
  });
});
