import { describe, expect, it } from "vitest";
import { as, codeOf, messageOf, sampleUser, TestAdmin } from "./support.ts";

const REGULAR = { username: "crm", role: "regular", subAccount: "Sales" };

const tokenOf = ({ body }: { body: unknown }) =>
  (body as { authenticationToken: string }).authenticationToken;

describe("users", () => {
  it("are created with a token that works, and that nobody sees again", async () => {
    const api = await TestAdmin.create();
    const created = await api.ask("POST", "/users", {
      username: "second",
      email: "second@acme.example",
      role: "admin",
      timeZone: "Asia/Tokyo",
      country: "jp",
    });
    expect(created).toMatchObject({
      status: 201,
      headers: { location: "/admin/v1/users/second" },
      body: {
        username: "second",
        email: "second@acme.example",
        role: "admin",
        state: "active",
        timeZone: "Asia/Tokyo",
        country: "JP",
        tokens: [{ createdAt: "2026-03-02T15:00:00Z" }],
        authenticationToken: expect.stringMatching(/^secret-/),
      },
    });
    const headers = as("second@acme.example", tokenOf(created));
    const shown = await api.ask("GET", "/users/SECOND", undefined, { headers });
    const { authenticationToken: _, ...user } = created.body as Record<string, unknown>;
    expect(shown.body).toEqual(user);
    expect(JSON.stringify((await api.get("/users")).body)).not.toMatch(/hash|secret/);
  });

  it("that are regular belong to a sub-account, and may nothing here", async () => {
    const api = await TestAdmin.create();
    const created = await api.ask("POST", "/users", REGULAR);
    expect(created.body).toMatchObject({ role: "regular", subAccount: "Sales" });
    const headers = as("crm", tokenOf(created));
    const refused = await api.ask("GET", "/account", undefined, { headers });
    expect(codeOf(refused)).toBe("403 FORBIDDEN");
  });

  it.each([
    {},
    { ...REGULAR, username: "" },
    { ...REGULAR, username: "a b" },
    { ...REGULAR, username: "a".repeat(65) },
    { ...REGULAR, email: "no address" },
    { ...REGULAR, email: null },
    { ...REGULAR, role: "king" },
    { ...REGULAR, role: "admin" },
    { ...REGULAR, subAccount: undefined },
    { ...REGULAR, subAccount: "None" },
    { ...REGULAR, timeZone: "Mars/Olympus" },
    { ...REGULAR, timeZone: "a".repeat(100_000) },
    { ...REGULAR, country: "XX" },
    { ...REGULAR, country: "BRA" },
    { ...REGULAR, account: "other" },
    { ...REGULAR, tokens: [] },
  ])("cannot be %j", async (body) => {
    const api = await TestAdmin.create();
    const refused = await api.ask("POST", "/users", body);
    expect(codeOf(refused)).toBe("400 INVALID_REQUEST");
    expect(messageOf(refused)).not.toBe("");
    expect((await api.get("/users")).body).toMatchObject({ total: 2 });
  });

  it.each([
    { username: "BOSS" },
    { username: "rival" },
    { username: "boss@acme.example" },
    { username: "crm", email: "Rival@other.example" },
    { username: "crm", email: "rival@other.example" },
  ])("have logins that nobody else has: %j", async (login) => {
    const api = await TestAdmin.create();
    expect(codeOf(await api.ask("POST", "/users", { ...REGULAR, ...login }))).toBe("409 CONFLICT");
  });

  it("are changed field by field, and lose what is null", async () => {
    const api = await TestAdmin.create();
    await api.ask("POST", "/users", { ...REGULAR, email: "crm@acme.example", country: "BR" });
    const changed = await api.ask("PATCH", "/users/crm", { email: null, role: "admin" });
    expect(changed.status).toBe(200);
    expect(changed.body).toMatchObject({ username: "crm", role: "admin", country: "BR" });
    expect(changed.body).not.toHaveProperty("email");
    expect(changed.body).not.toHaveProperty("subAccount");
  });

  it("keep their own e-mail address, and get nobody else's", async () => {
    const api = await TestAdmin.create();
    const patch = (email: string) => api.ask("PATCH", "/users/boss", { email });
    expect((await patch("boss@acme.example")).status).toBe(200);
    expect((await patch("Boss@acme.example")).status).toBe(200);
    expect(codeOf(await patch("clerk@acme.example"))).toBe("409 CONFLICT");
    expect(codeOf(await patch("rival@other.example"))).toBe("409 CONFLICT");
    expect(codeOf(await patch("no address"))).toBe("400 INVALID_REQUEST");
  });

  it.each([{ role: "regular" }, { subAccount: "Sales" }, { username: "new" }, { state: "away" }])(
    "are not changed to %j",
    async (body) => {
      const api = await TestAdmin.create();
      expect(codeOf(await api.ask("PATCH", "/users/boss", body))).toBe("400 INVALID_REQUEST");
    },
  );

  it("always leave an administrator", async () => {
    const api = await TestAdmin.create();
    for (const refused of [
      await api.ask("DELETE", "/users/boss"),
      await api.ask("PATCH", "/users/boss", { state: "disabled" }),
      await api.ask("PATCH", "/users/boss", { role: "regular", subAccount: "Sales" }),
    ]) {
      expect(codeOf(refused)).toBe("409 CONFLICT");
      expect(messageOf(refused)).toMatch(/last active administrator/);
    }
    await api.ask("POST", "/users", { username: "second", role: "admin" });
    expect((await api.ask("DELETE", "/users/boss")).status).toBe(204);
    expect(await api.users.findByLogin("boss")).toBeUndefined();
  });

  it("are not changed by two at a time", async () => {
    const api = await TestAdmin.create();
    const { users } = api;
    const update = users.updateUser.bind(users);
    users.updateUser = async (read, changed) => {
      await update(read, { ...read, revision: read.revision + 1 });
      return update(read, changed);
    };
    const patched = await api.ask("PATCH", "/users/clerk", { timeZone: "Asia/Tokyo" });
    expect(codeOf(patched)).toBe("409 CONFLICT");
    expect(codeOf(await api.ask("POST", "/users/clerk/token"))).toBe("409 CONFLICT");
  });
});

describe("tokens", () => {
  const rotate = (api: TestAdmin, body?: unknown) => api.ask("POST", "/users/rotated/token", body);
  const isLetIn = async (api: TestAdmin, token: string) => {
    const { status } = await api.ask("GET", "/account", undefined, {
      headers: as("rotated", token),
    });
    return status === 200;
  };
  const withUser = async () => {
    const api = await TestAdmin.create();
    await api.users.insertUser(sampleUser({ username: "rotated", email: undefined }));
    return api;
  };

  it.each([undefined, {}, { overlapMinutes: 0 }])("are rotated at once by %j", async (body) => {
    const api = await withUser();
    const rotated = await rotate(api, body);
    expect(rotated.status).toBe(200);
    expect(await isLetIn(api, tokenOf(rotated))).toBe(true);
    expect(await isLetIn(api, "a-token")).toBe(false);
  });

  it("overlap for as long as is asked for", async () => {
    const api = await withUser();
    const rotated = await rotate(api, { overlapMinutes: 10 });
    expect(rotated.body).toMatchObject({
      tokens: [
        { createdAt: "2026-03-02T15:00:00Z" },
        { createdAt: "1970-01-01T00:00:00Z", validUntil: "2026-03-02T15:10:00Z" },
      ],
    });
    expect(await isLetIn(api, "a-token")).toBe(true);
    api.clock.advance(10 * 60_000);
    expect(await isLetIn(api, "a-token")).toBe(false);
    expect(await isLetIn(api, tokenOf(rotated))).toBe(true);
  });

  it.each([
    "{",
    { overlapMinutes: -1 },
    { overlapMinutes: 1e6 },
    { overlapMinutes: "5" },
    { a: 1 },
  ])("are not rotated by %j", async (body) => {
    expect(codeOf(await rotate(await withUser(), body))).toBe("400 INVALID_REQUEST");
  });
});
