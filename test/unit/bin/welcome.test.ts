import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { shellQuote, welcome } from "../../../bin/local/welcome.ts";

const environment = {
  apiUrl: "http://127.0.0.1:4566/_aws/execute-api/abc",
  account: "sandbox",
  password: `a'b"c$d\`e!f\\g`,
  username: "sandbox-user",
  authenticationToken: `t'o"k$e\`n`,
  adminUsername: "sandbox-admin",
  adminAuthenticationToken: "admin-token",
  endpointUrl: "http://127.0.0.1:4566",
  region: "us-east-1",
  stage: "local",
  stackName: "torpedo-local",
  eventBusName: "torpedo-local",
};

/** The words that a shell makes of a line of which `curl` is the first. */
function wordsOf(line: string): string[] {
  const script = `curl() { printf '%s\\0' "$@"; }\n${line}`;
  return execFileSync("sh", ["-c", script], { encoding: "utf8" }).split("\0").slice(0, -1);
}

describe("shellQuote", () => {
  it.each(["", "plain", "it's", `"$HOME" \`x\` \\ !`, "two\nlines", "ação"])(
    "hands %j to a shell unchanged",
    (text) => {
      expect(wordsOf(`curl ${shellQuote(text)}`)).toEqual([text]);
    },
  );
});

describe("welcome", () => {
  const text = welcome(environment, { detached: false, messageId: "hello-1" });
  const [send, ask, sendByWavy] = text.split("\n").filter((line) => line.startsWith("  curl "));

  it("names the URL, the account and the user with their secrets", () => {
    expect(text).toContain(environment.apiUrl);
    expect(text).toContain(environment.account);
    expect(text).toContain(environment.password);
    expect(text).toContain(environment.username);
    expect(text).toContain(environment.authenticationToken);
  });

  it("keeps the administrator's token to the file", () => {
    expect(text).not.toContain(environment.adminAuthenticationToken);
  });

  it("prints a line to paste that sends a message", () => {
    const words = wordsOf(send ?? "");
    expect(words).toContain(`sandbox:${environment.password}`);
    expect(words.at(-1)).toBe(`${environment.apiUrl}/api/send-sms`);
    expect(JSON.parse(words[words.indexOf("-d") + 1] ?? "")).toEqual({
      sendSmsRequest: {
        destination: "5519900001111",
        messageText: "Hello, I am a simple message",
        correlationId: "hello-1",
      },
    });
  });

  it("prints a line to paste that asks for the status of that message", () => {
    expect(wordsOf(ask ?? "").at(-1)).toBe(`${environment.apiUrl}/api/get-sms-status/id/hello-1`);
  });

  it("prints a line to paste that sends a message by the Wavy API", () => {
    const words = wordsOf(sendByWavy ?? "");
    expect(words.filter((_, index) => words[index - 1] === "-H")).toEqual([
      "username: sandbox-user",
      `authenticationtoken: ${environment.authenticationToken}`,
      "content-type: application/json",
    ]);
    expect(words.at(-1)).toBe(`${environment.apiUrl}/v1/send-sms`);
    expect(JSON.parse(words[words.indexOf("-d") + 1] ?? "")).toEqual({
      destination: "5519900002222",
      messageText: "Hello, I am a message, too",
    });
  });

  it("names another message each time, because a second one would be a duplicate", () => {
    const ids = [1, 2].map(() => /hello-\w+/.exec(welcome(environment, { detached: true }))?.[0]);
    expect(ids[0]).toBeDefined();
    expect(text).not.toContain(ids[0]);
  });

  it.each([
    ["the outbox", /^ {2}npm run admin -- sandbox outbox --to \d+$/],
    ["a phone's answer", /^ {2}npm run admin -- sandbox reply --from \d+ --text \w+$/],
    ["long messages", /^ {2}npm run admin -- account set --account sandbox --long-messages on$/],
    ["an endpoint", /^ {2}npm run admin -- endpoint add --account sandbox --url http:\S+$/],
  ])("prints the admin's line for %s, with nothing behind it", (_, line) => {
    expect(text.split("\n").filter((it) => line.test(it))).toHaveLength(1);
  });

  it("tells that answers come to the API and to endpoints as well", () => {
    expect(text).toContain("POST /api/received/list");
    expect(text).toContain("statuses and answers go to a server of yours");
  });

  it("says how it ends", () => {
    expect(text).toContain("Ctrl-C");
    expect(welcome(environment, { detached: true })).toContain("npm stop");
  });
});
