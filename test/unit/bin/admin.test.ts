import { beforeEach, describe, expect, it } from "vitest";
import { hashSecret } from "../../../functions/core/passwords.ts";
import { newAccess, runCommand } from "./support.ts";

let access: ReturnType<typeof newAccess>;
beforeEach(() => {
  access = newAccess();
});

const run = (line: string) => runCommand(access, line);
// biome-ignore lint/suspicious/noExplicitAny: what programs get is what is being tested.
const json = async (line: string): Promise<any> => (await run(line)).json;
const lines = async (line: string) => (await run(line)).lines;

describe("account set", () => {
  it("changes nested settings by options of their own, and takes them back", async () => {
    const changed = await json(
      "account set --account acme --mo-dialect wavy --requests-per-second 900 --status-queries-per-second 5",
    );
    expect(changed).toMatchObject({
      moDialect: "wavy",
      rateLimits: { requestsPerSecond: 900, statusQueriesPerSecond: 5 },
    });
    const back = await json("account set --account acme --requests-per-second stage");
    expect(back.rateLimits).toEqual({ statusQueriesPerSecond: 5 });
    expect(back.moDialect).toBe("wavy");
  });

  it("takes all short codes away by an empty list", async () => {
    expect((await json("account set --account acme --email ops@acme.example")).email).toBe(
      "ops@acme.example",
    );
    expect(await json("account set --account acme --email none")).not.toHaveProperty("email");
    await run("account set --account acme --short-codes 27182,31415");
    expect((await json("account set --account acme --short-codes ''")).shortCodes).toEqual([]);
  });
});

describe("endpoint", () => {
  it("is of a sub-account, and told of MOs by GET, where asked for", async () => {
    await run("sub-account create --account acme --sub-account sales");
    const added = await json(
      "endpoint add --account acme --url https://a.example --sub-account sales --method GET",
    );
    expect(added).toMatchObject({ subAccount: "sales", method: "GET", callbackOption: "ALL" });
    expect(await lines("endpoint list --account acme")).toEqual([
      `${added.endpointId}  https://a.example  sent,delivered,received  ALL  MOs by GET  of sales`,
    ]);
  });
});

describe("user", () => {
  it("shows a token once, and never a hash", async () => {
    const { authenticationToken } = await json(
      "user create --account acme --username ana --role admin",
    );
    for (const command of ["show --username ana", "list"]) {
      const shown = JSON.stringify(await run(`user ${command} --account acme`));
      expect(shown).toContain("ana");
      expect(shown).not.toContain(authenticationToken);
      expect(shown).not.toContain(hashSecret(authenticationToken));
    }
    expect(await lines("user rotate-token --account acme --username ana")).toEqual([
      "username             ana",
      expect.stringMatching(/^authenticationtoken {2}secret-\d+$/),
      expect.stringMatching(/this once/),
    ]);
  });

  it("is changed, disabled, enabled and removed", async () => {
    await run("sub-account create --account acme --sub-account sales");
    await run(
      "user create --account acme --username ana --role regular --sub-account sales --email ana@acme.example",
    );
    expect(await lines("user disable --account acme --username ana")).toEqual([
      "ana  regular  sales  disabled  ana@acme.example",
    ]);
    await run("user enable --account acme --username ana");
    const changed = await json(
      "user set --account acme --username ana --role admin --email none --time-zone UTC",
    );
    expect(changed).toMatchObject({ role: "admin", timeZone: "UTC", state: "active" });
    expect(changed).not.toHaveProperty("email");
    await run("user remove --account acme --username ana");
    expect(await lines("user list --account acme")).toEqual(["The account has no users."]);
  });
});

describe("sub-account", () => {
  it("has limits, users and endpoints", async () => {
    expect(
      await lines("sub-account create --account acme --sub-account 'Sales 1' --per-day 5"),
    ).toEqual(["Sales 1  5 a day"]);
    await run("user create --account acme --username ana --role regular --sub-account 'Sales 1'");
    await run("sub-account set --account acme --sub-account 'Sales 1' --per-day none --prepaid on");
    expect(await json("sub-account show --account acme --sub-account 'Sales 1'")).toMatchObject({
      limits: { prepaid: true },
      users: ["ana"],
      endpoints: [],
    });
    expect(await lines("sub-account list --account acme")).toEqual(["Sales 1  prepaid"]);
    await expect(run("sub-account remove --account acme --sub-account 'Sales 1'")).rejects.toThrow(
      /still that of user "ana"/,
    );
  });
});

describe("template", () => {
  it("is created, opened to all, changed and removed", async () => {
    await run("sub-account create --account acme --sub-account sales");
    const created = await json(
      "template create --account acme --name hi --text 'Hi {{name}}' --sub-account sales --template 7",
    );
    expect(created).toMatchObject({ templateId: 7, subAccount: "sales", text: "Hi {{name}}" });
    const opened = await json("template set --account acme --template 7 --no-sub-account");
    expect(opened).not.toHaveProperty("subAccount");
    await run("template set --account acme --template 7 --text 'Hello {{name}}'");
    expect(await lines("template list --account acme")).toEqual(["7  hi  Hello {{name}}"]);
    await run("template remove --account acme --template 7");
    expect(await json("template list --account acme")).toEqual({ templates: [] });
  });
});

describe("flow and campaign", () => {
  it("are created, listed and removed", async () => {
    await run("flow create --account acme --flow f1 --text Hi");
    await run("flow set --account acme --flow f1 --text Hey");
    expect(await lines("flow list --account acme")).toEqual(["f1  Hey"]);
    await run("flow remove --account acme --flow f1");
    expect(await lines("flow list --account acme")).toEqual(["The account has no flows."]);
    await run("campaign create --account acme --alias 'Black Friday'");
    expect(await lines("campaign list --account acme")).toEqual(["1  Black Friday"]);
    await run("campaign remove --account acme --alias 'Black Friday'");
    expect(await json("campaign list --account acme")).toEqual({ campaigns: [] });
  });
});

describe("limits and credit", () => {
  it("are the account's, or those of a sub-account of it", async () => {
    await run("sub-account create --account acme --sub-account sales");
    await run("limits set --account acme --per-day 10 --per-month 100");
    expect(await json("limits set --account acme --per-day none --prepaid on")).toEqual({
      perMonth: 100,
      prepaid: true,
    });
    await run("credit add --account acme --sub-account sales --parts 50");
    expect(await json("credit add --account acme --sub-account sales --parts -20")).toEqual({
      credit: 30,
    });
    expect(await json("limits show --account acme --sub-account sales")).toMatchObject({
      limits: { prepaid: false },
      usage: { credit: 30 },
    });
  });
});

describe("blocked and opt-out", () => {
  it("take numbers as people write them", async () => {
    await run("blocked add --account acme --number '(19) 90000-1111'");
    expect(await lines("blocked list --account acme")).toEqual([
      expect.stringMatching(/^5519900001111 {2}since 2026-/),
    ]);
    await run("blocked remove --account acme --number +5519900001111");
    expect(await json("blocked list --account acme")).toEqual({ blocked: [] });
    await run("opt-out add --account acme --number '19 90000-1111'");
    expect(await lines("opt-out list --account acme")).toEqual([
      expect.stringMatching(/^5519900001111 {2}of the whole account {2}since .* by admin$/),
    ]);
    await run("opt-out remove --account acme --number 5519900001111");
    expect(await lines("opt-out list --account acme")).toEqual(["Nobody has opted out."]);
  });

  it("let a sub-account have an opt-out of its own, and do as its account again", async () => {
    await run("sub-account create --account acme --sub-account sales");
    await run("opt-out set --account acme --keywords 'FIM, SAIR' --confirmation ''");
    const own = await json("opt-out set --account acme --sub-account sales --enabled off");
    expect(own).toMatchObject({ enabled: false, keywords: ["FIM", "SAIR"], confirmation: "" });
    await run("opt-out set --account acme --sub-account sales --as-account");
    const shown = await json("sub-account show --account acme --sub-account sales");
    expect(shown.optOut).toBeUndefined();
  });
});

describe("carrier", () => {
  it("is given URLs and a secret, which is shown once, and never a hash", async () => {
    expect(await lines("carrier list")).toEqual(["No carrier reports over HTTP."]);
    const added = await json("carrier add --name vivo --protocol sandbox");
    expect(added).toMatchObject({
      carrier: "vivo",
      protocol: "sandbox",
      dlrUrl: "ApiUrl/carriers/vivo/dlr",
      moUrl: "ApiUrl/carriers/vivo/mo",
    });
    for (const shown of [added, await json("carrier list")]) {
      expect(JSON.stringify(shown)).not.toContain(hashSecret(added.secret));
    }
    expect(JSON.stringify(await run("carrier list"))).not.toContain(added.secret);
    expect(await lines("carrier list")).toEqual(["vivo  sandbox"]);
  });

  it("keeps its old secret for as long as it is told, and is removed", async () => {
    const { secret } = await json("carrier add --name vivo --protocol sandbox");
    const rotated = await json("carrier rotate-secret --name vivo --overlap-minutes 5");
    expect(rotated.secret).not.toBe(secret);
    const [listed] = (await json("carrier list")).carriers;
    expect(listed.secrets).toEqual([
      { createdAt: expect.any(String) },
      { createdAt: expect.any(String), validUntil: expect.any(String) },
    ]);
    expect(await lines("carrier rotate-secret --name vivo")).toEqual([
      "receipts  ApiUrl/carriers/vivo/dlr",
      "MOs       ApiUrl/carriers/vivo/mo",
      expect.stringMatching(/^secret {4}secret-\d+$/),
      expect.stringMatching(/this once/),
    ]);
    await run("carrier remove --name vivo");
    expect(await json("carrier list")).toEqual({ carriers: [] });
  });

  it("has an URL that can be called where it is the emulator's", async () => {
    access.target.clientConfig = { endpoint: "http://127.0.0.1:4566" };
    const { dlrUrl } = await json("carrier add --name vivo --protocol sandbox");
    expect(dlrUrl).toBe("http://127.0.0.1:4566/_aws/execute-api/ApiId/carriers/vivo/dlr");
  });
});

describe.each([
  ["limits set --account acme", /nothing to set: --help lists/],
  ["user set --account acme --username ana", /nothing to set/],
  ["opt-out set --account acme --as-account", /--as-account is for a --sub-account/],
  ["opt-out set --account acme --as-account --enabled on", /cannot be used with/],
  ["limits set --account acme --per-day many", /a whole number or "none"/],
  ["limits set --account acme --per-day -1", /a whole number or "none"/],
  ["credit add --account acme --parts 1.5", /It must be a whole number/],
  ["user create --account acme --username ana", /required option '--role/],
  ["user create --account acme --username ana --role boss", /Allowed choices are admin, regular/],
  ["carrier add --name Vivo --protocol sandbox", /lower-case letters/],
  ["carrier add --name vivo --protocol smoke", /Allowed choices are sandbox/],
  ["carrier remove --name vivo", /there is no carrier account "vivo"/],
  ["user list --account nobody", /there is no account "nobody"/],
  ["template list --account nobody", /there is no account "nobody"/],
])("%s", (line, message) => {
  it("says what is wrong", async () => {
    await expect(run(line)).rejects.toThrow(message);
  });
});
