import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { goodCarrier } from "../../../functions/core/carrier-health.ts";
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

describe("account set: senders and routes", () => {
  const routes = [
    { country: "BR", lane: "bulk", share: 70, carrier: "kannel" },
    { carrier: "sandbox" },
  ];
  const read = [{ ...routes[0], country: ["BR"] }, routes[1]];

  it("sets senders in their order, once each, and takes them away by an empty list", async () => {
    const changed = await json("account set --account acme --senders '31415, 27182,31415'");
    expect(changed.senders).toEqual(["31415", "27182"]);
    expect(changed).not.toHaveProperty("routes");
    expect((await json("account set --account acme --senders ''")).senders).toEqual([]);
  });

  it("sets routes of the account's own, shows them by the line, and takes the stage's again", async () => {
    const changed = await run(`account set --account acme --routes '${JSON.stringify(routes)}'`);
    expect(changed.json).toMatchObject({ routes: read });
    expect(access.directory.accounts.get("acme")?.routes).toEqual(read);
    for (const { lines } of [changed, await run("account show --account acme")]) {
      const shown = JSON.parse(lines.join("\n"));
      expect(shown.routes).toEqual([
        "to BR, in the lane bulk, 70 of a hundred: kannel",
        "all: sandbox",
      ]);
      expect(shown.account).toBe("acme");
    }
    const { accounts } = await json("account list");
    expect(accounts).toMatchObject([{ routes: read }]);
    const back = await run("account set --account acme --routes stage");
    expect(back.json).not.toHaveProperty("routes");
    expect(access.directory.accounts.get("acme")).not.toHaveProperty("routes");
  });

  it("shows all conditions that a route has", async () => {
    const all = [
      { country: ["BR", "PT"], operator: "Vivo", subAccount: ["a", "b"], carrier: "sandbox" },
    ];
    const { lines } = await run(`account set --account acme --routes '${JSON.stringify(all)}'`);
    expect(JSON.parse(lines.join("\n")).routes).toEqual([
      "to BR or PT, of operator Vivo, for sub-account a or b: sandbox",
    ]);
  });

  it("reads routes from a file", async () => {
    const directory = await mkdtemp(join(tmpdir(), "routes-"));
    const file = join(directory, "routes.json");
    try {
      await writeFile(file, JSON.stringify(routes));
      const changed = await json(`account set --account acme --routes-file ${file}`);
      expect(changed.routes).toEqual(read);
      await expect(
        run(`account set --account acme --routes stage --routes-file ${file}`),
      ).rejects.toThrow(/cannot be used with/);
      await writeFile(file, "{}");
      await expect(run(`account set --account acme --routes-file ${file}`)).rejects.toThrow(
        /a file with a list in JSON/,
      );
    } finally {
      await rm(directory, { recursive: true });
    }
    await expect(run(`account set --account acme --routes-file ${file}`)).rejects.toThrow(
      /cannot be read/,
    );
  });

  it.each<[string, RegExp]>([
    [
      '--routes \'[{"carrier":"vivo"}]\'',
      /^routes\.0\.carrier: .*no carrier "vivo".*kannel, sandbox/,
    ],
    ['--routes \'[{"country":"br","carrier":"kannel"}]\'', /^routes\.0\.country: .*capital/],
    ['--routes \'[{"carrier":"kannel","weight":1}]\'', /^routes\.0: .*weight/],
    ["--routes '[]'", /^routes: /],
    ["--routes {}", /a list in JSON, or "stage"/],
    ["--routes null", /a list in JSON, or "stage"/],
    ["--routes [", /a list in JSON, or "stage"/],
    ["--senders Acme", /^senders: phones in BR can be sent nothing from "Acme"/],
    ["--senders 27182,!", /^senders\.1: a sender is/],
    ['--senders 40001 --routes \'[{"carrier":"kannel"}]\'', /^senders: "40001" is let out by no/],
  ])("changes nothing where it says what is wrong: %s", async (options, message) => {
    const before = access.directory.accounts.get("acme");
    await expect(run(`account set --account acme ${options}`)).rejects.toThrow(message);
    expect(access.directory.accounts.get("acme")).toEqual(before);
  });

  it("cannot where the stack does not say which carriers it has, but sets everything else", async () => {
    access.offers = undefined;
    for (const options of ["--senders 27182", '--routes \'[{"carrier":"sandbox"}]\'']) {
      await expect(run(`account set --account acme ${options}`)).rejects.toThrow(
        /stage "local" does not say which carriers it has: deploy it anew/,
      );
    }
    expect((await json("account set --account acme --transliterate on")).transliterate).toBe(true);
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
    access.offers = undefined;
    expect(await lines("carrier list")).toEqual(["Nothing is known of any carrier."]);
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
    expect(await lines("carrier list")).toEqual(["vivo  reports by sandbox"]);
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
    expect((await json("carrier list")).carriers).toEqual([]);
  });

  it("is listed beside those of the stage, with the senders that these let out", async () => {
    await run("carrier add --name vivo --protocol sandbox");
    await run("carrier add --name kannel --protocol sandbox");
    expect(await lines("carrier list")).toEqual([
      "kannel  senders 27182, 31415  reports by sandbox",
      "sandbox  senders any",
      "vivo  not of the stage  reports by sandbox",
    ]);
    const { ofStage, carriers } = await json("carrier list");
    expect(ofStage).toEqual([
      { carrier: "kannel", senders: ["27182", "31415"] },
      { carrier: "sandbox" },
    ]);
    expect(carriers.map(({ carrier }: { carrier: string }) => carrier)).toEqual(["vivo", "kannel"]);
  });

  it("has an URL that can be called where it is the emulator's", async () => {
    access.target.clientConfig = { endpoint: "http://127.0.0.1:4566" };
    const { dlrUrl } = await json("carrier add --name vivo --protocol sandbox");
    expect(dlrUrl).toBe("http://127.0.0.1:4566/_aws/execute-api/ApiId/carriers/vivo/dlr");
  });
});

describe("carrier status", () => {
  const counts = (handedOver: number, failed: number, awaited: number, prompt: number) => ({
    handedOver,
    failed,
    awaited,
    prompt,
  });

  it("shows who is demoted, since and until when, and what was handed over of late", async () => {
    const { clock, carrierHealths } = access;
    const now = clock.now();
    carrierHealths?.healths.push(
      { ...goodCarrier("gone"), state: "demoted" },
      {
        ...goodCarrier("kannel"),
        state: "demoted",
        reason: "failures",
        percent: 63,
        since: now - 10_000,
        until: now + 20_000,
        demotions: 2,
      },
    );
    carrierHealths?.slices.push(
      { carrier: "kannel", start: now - 360_000, counts: counts(1_000, 1_000, 0, 0) },
      { carrier: "kannel", start: now - 240_000, counts: counts(60, 40, 20, 15) },
      { carrier: "kannel", start: now - 10_000, counts: counts(40, 23, 10, 0) },
      { carrier: "gone", start: now - 10_000, counts: counts(7, 7, 0, 0) },
    );
    const { lines, json } = await run("carrier status");
    expect(json).toEqual({
      carriers: [
        {
          carrier: "kannel",
          state: "demoted",
          reason: "failures",
          percent: 63,
          since: new Date(now - 10_000).toISOString(),
          until: new Date(now + 20_000).toISOString(),
          demotions: 2,
          minutes: 5,
          ...counts(100, 63, 30, 15),
        },
        { carrier: "sandbox", state: "good", demotions: 0, minutes: 5, ...counts(0, 0, 0, 0) },
      ],
    });
    expect(lines).toEqual([
      expect.stringMatching(
        /^kannel {2}demoted {2}63 of a hundred failed {2}since .*Z {2}tried again from .*Z {2}100 handed over, 63 failed, 30 awaited, 15 in time$/,
      ),
      "sandbox  good  0 handed over, 0 failed, 0 awaited, 0 in time",
      expect.stringMatching(/last 5 minutes/),
    ]);
  });

  it("says that the receipts of one on trial were late", async () => {
    access.carrierHealths?.healths.push({
      ...goodCarrier("sandbox"),
      state: "trial",
      reason: "slow-receipts",
      percent: 90,
      until: access.clock.now() + 30_000,
    });
    expect(await lines("carrier status")).toContainEqual(
      expect.stringMatching(
        /^sandbox {2}trial {2}90 of a hundred receipts were late {2}until .*Z {2}0 handed/,
      ),
    );
  });

  it("says what to do where the stack says nothing of its carriers", async () => {
    access.carrierHealths = undefined;
    await expect(run("carrier status")).rejects.toThrow(/deploy it anew/);
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
  ["carrier add --name vivo --protocol smoke", /Allowed choices are .*sandbox/],
  ["carrier remove --name vivo", /there is no carrier account "vivo"/],
  ["user list --account nobody", /there is no account "nobody"/],
  ["template list --account nobody", /there is no account "nobody"/],
])("%s", (line, message) => {
  it("says what is wrong", async () => {
    await expect(run(line)).rejects.toThrow(message);
  });
});
