import { beforeAll, describe, expect, it } from "vitest";
import { callAdmin } from "./support/admin-api.ts";
import { adminJson } from "./support/command-line.ts";
import { eventually } from "./support/eventually.ts";
import { phoneOfOurOwn, stack } from "./support/stack.ts";
import { TestWavyAccount } from "./support/wavy-account.ts";

describe("the admin API", () => {
  let account: TestWavyAccount;
  beforeAll(async () => {
    account = await TestWavyAccount.create();
  });
  const ask = (method: string, path: string, body?: unknown) =>
    callAdmin(account, method, path, body);

  it("creates a sub-account and a user of it, whose token works, is rotated, and ends", async () => {
    const subAccount = "Vendas São Paulo";
    const created = await ask("POST", "/sub-accounts", { subAccount, limits: { perDay: 100 } });
    expect(created).toMatchObject({
      status: 201,
      location: `/admin/v1/sub-accounts/${encodeURIComponent(subAccount)}`,
      body: { subAccount, limits: { perDay: 100, prepaid: false } },
    });
    const shown = await fetch(`${stack.apiUrl}${created.location}`, {
      headers: {
        authorization: `Basic ${Buffer.from(
          `${account.users.admin.username}:${account.users.admin.token}`,
        ).toString("base64")}`,
      },
    });
    expect(await shown.json()).toEqual(created.body);

    const username = `crm-${account.name.slice(-12)}`;
    const user = await ask("POST", "/users", { username, role: "regular", subAccount });
    expect(user).toMatchObject({ status: 201, body: { username, subAccount, state: "active" } });
    const send = (token: string) =>
      fetch(`${stack.apiUrl}/v1/send-sms`, {
        method: "POST",
        headers: { username, authenticationtoken: token, "content-type": "application/json" },
        body: JSON.stringify({ destination: phoneOfOurOwn(), messageText: "Hello" }),
      }).then(({ status }) => status);
    const { authenticationToken: first } = user.body;
    expect(await send(first)).toBe(200);
    expect(
      await ask("GET", `/sub-accounts/${encodeURIComponent(subAccount)}/limits`),
    ).toMatchObject({ status: 200, body: { perDay: 100, usage: { usedToday: 1 } } });

    const asUser = await callAdmin(account, "GET", "/users", undefined, { username, token: first });
    expect(asUser).toMatchObject({ status: 403, body: { errorCode: "FORBIDDEN" } });

    const rotated = await ask("POST", `/users/${username}/token`, { overlapMinutes: 10 });
    expect(rotated.body.tokens).toHaveLength(2);
    expect(await send(rotated.body.authenticationToken)).toBe(200);
    expect(await ask("DELETE", `/users/${username}`)).toMatchObject({ status: 204 });
    expect(await ask("GET", `/users/${username}`)).toMatchObject({
      status: 404,
      body: { errorCode: "NOT_FOUND" },
    });
    const last = `/users/${account.users.admin.username}`;
    for (const refused of [
      await ask("DELETE", last),
      await ask("PATCH", last, { state: "disabled" }),
      await ask("PATCH", last, { role: "regular", subAccount }),
    ]) {
      expect(refused).toMatchObject({ status: 409, body: { errorCode: "CONFLICT" } });
    }
  });

  it("refuses a user name that is taken, in whatever account", async () => {
    const other = await TestWavyAccount.create();
    const { username } = other.users.admin;
    expect(await ask("POST", "/users", { username, role: "admin" })).toMatchObject({
      status: 409,
      body: { errorCode: "CONFLICT" },
    });
    expect(await ask("GET", `/users/${username}`)).toMatchObject({ status: 404 });
  });

  it("manages templates, flows and campaigns, whatever they are called", async () => {
    const template = await ask("POST", "/templates", { name: "welcome", text: "Olá {{name}}" });
    expect(template).toMatchObject({ status: 201, body: { templateId: 1 } });
    expect(await ask("PATCH", "/templates/1", { text: "Oi {{name}}" })).toMatchObject({
      status: 200,
      body: { ...template.body, text: "Oi {{name}}" },
    });
    expect(await ask("PUT", "/flows/mine", { text: "Oi" })).toMatchObject({ status: 200 });
    const both = await Promise.all(
      ["one", "two"].map((text) => ask("POST", "/flows", { flowId: "both", text })),
    );
    expect(both.map(({ status }) => status).sort()).toEqual([201, 409]);
    expect(await ask("DELETE", "/flows/both")).toMatchObject({ status: 204 });
    const alias = "Páscoa 50%/2026";
    const campaign = await ask("POST", "/campaigns", { alias });
    expect(campaign).toMatchObject({ status: 201, body: { campaignId: 1, alias } });
    const found = await fetch(`${stack.apiUrl}${campaign.location}`, {
      headers: {
        username: account.users.admin.username,
        authenticationtoken: account.users.admin.token,
      },
    });
    expect(await found.json()).toEqual(campaign.body);
    for (const [list, total] of [
      ["templates", 1],
      ["flows", 1],
      ["campaigns", 1],
    ] as const) {
      expect((await ask("GET", `/${list}`)).body).toMatchObject({ total, [list]: [{}] });
    }
    expect((await account.send({ templateId: 1, params: { name: "Ana" } })).status).toBe(200);
    expect((await account.send({ campaignAlias: alias })).status).toBe(200);
  });

  it("manages endpoints, and who is not sent anything", async () => {
    const url = "https://customer.example/callback";
    const endpoint = await ask("POST", "/endpoints", { url, subAccount: account.subAccount });
    expect(endpoint).toMatchObject({ status: 201, body: { url, method: "POST" } });
    const { secret, ...shown } = endpoint.body;
    expect(secret).toMatch(/^whsec_/);
    expect((await ask("GET", "/endpoints")).body).toEqual({ total: 1, endpoints: [shown] });
    const { endpointId } = shown;
    const path = `/endpoints/${endpointId}`;
    expect(await ask("PATCH", path, { events: ["any"], headers: { "X-Key": "1" } })).toMatchObject({
      status: 200,
      body: { events: ["any"], headers: ["x-key"] },
    });
    expect((await ask("POST", `${path}/secret`)).body.secret).toMatch(/^whsec_/);
    for (const state of ["paused", "active", "disabled", "active"]) {
      expect((await ask("PUT", `${path}/state`, { state })).body).toMatchObject({ state });
    }
    const since = new Date().toISOString();
    expect(await ask("POST", `${path}/replay`, { since })).toMatchObject({ status: 202 });
    expect((await ask("GET", "/callbacks")).body).toMatchObject({ callbacks: expect.any(Array) });
    expect(await ask("DELETE", `/endpoints/${endpointId}`)).toMatchObject({ status: 204 });

    const phone = phoneOfOurOwn();
    expect(await ask("PUT", `/blocked-numbers/+${phone}`)).toMatchObject({
      status: 200,
      body: { number: phone },
    });
    const [blocked] = (await account.send({ destination: phone })).body;
    await eventually(async () =>
      expect(await account.status(blocked.id)).toMatchObject({ sentStatus: "BLACKLISTED" }),
    );
    expect(await ask("DELETE", `/blocked-numbers/${phone}`)).toMatchObject({ status: 204 });

    const query = `?subAccount=${encodeURIComponent(account.subAccount)}`;
    expect(await ask("PUT", `/opt-outs/${phone}${query}`)).toMatchObject({ status: 200 });
    expect((await ask("GET", `/opt-outs${query}`)).body).toMatchObject({
      total: 1,
      optOuts: [{ number: phone, subAccount: account.subAccount, origin: "admin" }],
    });
    expect(await ask("DELETE", `/opt-outs/${phone}${query}`)).toMatchObject({ status: 204 });
    expect((await ask("GET", "/opt-outs")).body).toEqual({ total: 0, optOuts: [] });
  });

  it("shows and changes the account, its limits, and the credit of a sub-account", async () => {
    expect(await ask("PATCH", "/account", { optOut: { keywords: ["FORA"] } })).toMatchObject({
      status: 200,
      body: { account: account.name, optOut: { keywords: ["FORA"] } },
    });
    expect(JSON.stringify((await ask("GET", "/account")).body)).not.toContain("hash");
    expect(await ask("PATCH", "/limits", { perDay: 1_000 })).toMatchObject({
      status: 200,
      body: { perDay: 1_000 },
    });
    expect(await ask("PATCH", "/limits", { perDay: 2_000 })).toMatchObject({
      status: 403,
      body: { errorCode: "FORBIDDEN" },
    });
    const path = `/sub-accounts/${encodeURIComponent(account.subAccount)}`;
    const addition = { parts: 7, requestId: "invoice-1" };
    expect((await ask("POST", `${path}/credit`, addition)).body).toEqual({ credit: 7 });
    expect((await ask("POST", `${path}/credit`, addition)).body).toEqual({ credit: 7 });
    expect(await ask("DELETE", path)).toMatchObject({ status: 409 });
  });

  it("shows the senders and routes that the operator has set, and lets nobody change them", async () => {
    const route = { country: ["BR"], carrier: "sandbox" };
    await adminJson(
      ...["account", "set", "--account", account.name, "--senders", "27182"],
      ...["--routes", JSON.stringify([route])],
    );
    const { body } = await ask("GET", "/account");
    expect(body).toMatchObject({ senders: ["27182"], routes: [route] });
    for (const change of [{ senders: ["31415"] }, { routes: null }]) {
      expect(await ask("PATCH", "/account", change)).toMatchObject({ status: 400 });
    }
    expect((await ask("GET", "/account")).body).toEqual(body);
  });

  it.each([
    ["GET", "/nothing", undefined, 404],
    ["PUT", "/users", undefined, 405],
    ["POST", "/sub-accounts", undefined, 400],
    ["POST", "/sub-accounts", { subAccount: "a", limit: 1 }, 400],
    ["PUT", "/blocked-numbers/5519900001111", { x: 1 }, 400],
    ["PATCH", "/account", { optOut: { keywords: ["a"], backKeywords: ["Á!"] } }, 400],
    ["PATCH", "/account", { moDialect: null, transliterate: null, optOut: null }, 200],
    ["PATCH", "/users/%E0%A4%A", {}, 404],
    ["GET", "/users?limit=x", undefined, 400],
    ["GET", `/templates/${"9".repeat(500)}`, undefined, 404],
  ])("answers %s %s", async (method, path, body, status) => {
    const answer = await ask(method, path, body);
    // API Gateway may refuse by itself what is no URL.
    expect([status, 400]).toContain(answer.status);
  });

  it("lets nobody else in", async () => {
    const nobody = { username: account.users.admin.username, token: "wrong" };
    expect(await callAdmin(account, "GET", "/account", undefined, nobody)).toMatchObject({
      status: 401,
      body: { errorCode: "UNAUTHORIZED" },
    });
  });
});

describe("the OpenAPI document", () => {
  it("is there for everybody, and names the host that it was asked at", async () => {
    const response = await fetch(`${stack.apiUrl}/openapi.json`);
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toMatch(/^application\/json/);
    const document = (await response.json()) as {
      openapi: string;
      servers: { url: string }[];
      paths: object;
    };
    expect(document.openapi).toBe("3.1.0");
    expect(new URL(document.servers[0]?.url ?? "").host).toBe(new URL(stack.apiUrl).host);
    expect(Object.keys(document.paths)).toEqual(
      expect.arrayContaining([
        "/api/send-sms",
        "/services/send-sms",
        "/v1/send-sms",
        "/admin/v1/users/{username}",
      ]),
    );
  });
});
