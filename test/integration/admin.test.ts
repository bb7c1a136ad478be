import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { admin, adminJson as json, run } from "./support/command-line.ts";
import { eventually } from "./support/eventually.ts";
import { stack } from "./support/stack.ts";

async function statusCodeWith(account: string, password: string): Promise<number> {
  const authorization = `Basic ${Buffer.from(`${account}:${password}`).toString("base64")}`;
  const url = `${stack.apiUrl}/api/get-sms-status/id/none`;
  return (await fetch(url, { headers: { authorization } })).status;
}

/** Of an account of a test's own: the command, the account, and the command's other words. */
async function newAccount() {
  const name = `admin-${randomUUID()}`;
  await json("account", "create", "--account", name);
  return (command: string, ...more: string[]) =>
    json(...command.split(" "), "--account", name, ...more);
}

async function statusCodeWithToken(username: string, authenticationtoken: string): Promise<number> {
  const response = await fetch(`${stack.apiUrl}/v1/send-sms`, {
    method: "POST",
    headers: { username, authenticationtoken, "content-type": "application/json" },
    body: '{"destination":"5519900001111","messageText":"Hello"}',
  });
  return response.status;
}

describe("npm run admin", () => {
  it("creates an account whose password works, shows it without, rotates it, disables it", async () => {
    const name = `admin-${randomUUID()}`;
    const created = await json("account", "create", "--account", name);
    expect(created).toEqual({ account: name, password: expect.stringMatching(/^[\w-]{43}$/) });
    expect(await statusCodeWith(name, created.password)).toBe(200);

    const shown = await admin("account", "show", "--account", name, "--json");
    expect(JSON.parse(shown.stdout)).toMatchObject({ account: name, country: "BR", endpoints: [] });
    expect(shown.stdout).not.toContain(created.password);

    const rotated = await json("credential", "rotate", "--account", name);
    expect(await statusCodeWith(name, rotated.password)).toBe(200);

    await json("account", "disable", "--account", name);
    const { accounts } = await json("account", "list");
    expect(accounts).toContainEqual(expect.objectContaining({ account: name, state: "disabled" }));
  });

  it("adds, lists and removes endpoints", async () => {
    const name = `admin-${randomUUID()}`;
    await json("account", "create", "--account", name);
    const url = "https://customer.example/status";
    const { secret, ...added } = await json(
      "endpoint",
      "add",
      "--account",
      name,
      "--url",
      url,
      "--events",
      "sent",
    );
    expect(added).toMatchObject({ url, events: ["sent"], callbackOption: "ALL" });
    expect(secret).toMatch(/^whsec_/);
    const { endpoints } = await json("endpoint", "list", "--account", name);
    expect(endpoints).toEqual([added]);
    const ofEndpoint = ["--account", name, "--endpoint", added.endpointId];
    expect(await json("endpoint", "pause", ...ofEndpoint)).toMatchObject({ state: "paused" });
    expect(await json("endpoint", "resume", ...ofEndpoint)).toMatchObject({ state: "active" });
    expect(await json("callbacks", "list", ...ofEndpoint)).toEqual({ callbacks: [] });
    await json("endpoint", "remove", ...ofEndpoint);
    expect(await json("endpoint", "list", "--account", name)).toEqual({ endpoints: [] });
  });

  it("manages users and their sub-accounts", async () => {
    const onAccount = await newAccount();
    const username = `user-${randomUUID()}`;
    const ofUser = ["--username", username];
    await onAccount("sub-account create", "--sub-account", "sales", "--per-day", "100");
    const { authenticationToken, ...created } = await onAccount(
      "user create",
      ...ofUser,
      ...["--role", "regular", "--sub-account", "sales"],
    );
    expect(created).toMatchObject({ role: "regular", subAccount: "sales", state: "active" });
    expect(await statusCodeWithToken(username, authenticationToken)).toBe(200);
    expect(await statusCodeWithToken(username, "wrong")).toBe(401);

    const shown = await onAccount("sub-account show", "--sub-account", "sales");
    expect(shown).toMatchObject({ limits: { perDay: 100 }, users: [username] });
    const changed = await onAccount("user set", ...ofUser, "--email", `${username}@acme.example`);
    const rotated = await onAccount("user rotate-token", ...ofUser);
    expect(await statusCodeWithToken(changed.email, rotated.authenticationToken)).toBe(200);

    await onAccount("user remove", ...ofUser);
    await onAccount("sub-account remove", "--sub-account", "sales");
    expect(await onAccount("user list")).toEqual({ users: [] });
  });

  it("sets an account's senders and routes to what the stage's carriers offer, and nothing else", async () => {
    const onAccount = await newAccount();
    const { ofStage } = await json("carrier", "list");
    expect(ofStage).toContainEqual(expect.objectContaining({ carrier: "sandbox" }));
    const routes = [{ country: "BR", lane: "singles", share: 70, carrier: "sandbox" }];
    const changed = await onAccount(
      "account set",
      ...["--senders", "27182", "--routes", JSON.stringify(routes)],
    );
    const set = { senders: ["27182"], routes: [{ ...routes[0], country: ["BR"] }] };
    expect(changed).toMatchObject(set);
    expect(await onAccount("account show")).toMatchObject(set);

    const shown = await admin("account", "show", "--account", changed.account);
    expect(shown.stdout).toContain('"to BR, in the lane singles, 70 of a hundred: sandbox"');

    for (const [options, message] of [
      [["--routes", '[{"carrier":"nobody"}]'], /no carrier "nobody"/],
      [["--senders", "Acme"], /phones in BR/],
    ] as const) {
      const refused = await admin("account", "set", "--account", changed.account, ...options);
      expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(message) });
    }
    const back = await onAccount("account set", "--routes", "stage", "--senders", "");
    expect(back.senders).toEqual([]);
    expect(await onAccount("account show")).not.toHaveProperty("routes");
  });

  it("shows how the stage's carriers fare", async () => {
    const { carriers } = await json("carrier", "status");
    expect(carriers).toContainEqual(
      expect.objectContaining({
        carrier: "sandbox",
        state: expect.stringMatching(/^(good|demoted|trial)$/),
        minutes: 5,
        handedOver: expect.any(Number),
        failed: expect.any(Number),
      }),
    );
  });

  it("shows what the sandbox carrier was handed", async () => {
    const name = `admin-${randomUUID()}`;
    const { password } = await json("account", "create", "--account", name);
    await fetch(`${stack.apiUrl}/api/send-sms`, {
      method: "POST",
      headers: {
        authorization: `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}`,
        "content-type": "application/json",
      },
      body: '{"sendSmsRequest":{"destination":"5585900001234","messageText":"Olá"}}',
    });
    await eventually(async () => {
      const { messages } = await json("sandbox", "outbox", "--to", "5585900001234");
      expect(messages).toContainEqual(
        expect.objectContaining({ account: name, text: "Olá", outcome: "accepted" }),
      );
    });
  });

  it.each([
    [
      "an account that is not there",
      ["account", "show", "--account", "nobody"],
      /there is no account "nobody"/,
    ],
    [
      "a stage that is not deployed",
      ["account", "list", "--stage", "nowhere"],
      /torpedo-nowhere cannot be read/,
    ],
    ["an option left out", ["account", "create"], /required option '--account/],
    [
      "an unknown event",
      ["endpoint", "add", "--account", "a", "--url", "https://a.example", "--events", "read"],
      /sent,delivered,received/,
    ],
  ])("says in one sentence what is wrong: %s", async (_, args, message) => {
    const { stdout, stderr, exitCode } = await admin(...args);
    expect(exitCode).toBe(1);
    expect(stdout).toBe("");
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/^\s+at /m);
  });

  it.each([[[]], [["opt-out", "set"]]])("has help everywhere: %j", async (command) => {
    const asOperator = ["run", "--silent", "admin", "--", ...command, "--help"];
    const { stdout, exitCode } = await run("npm", asOperator);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^Usage: npm run admin --/);
  });
});
