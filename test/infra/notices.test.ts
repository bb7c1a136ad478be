import { describe, expect, test } from "vitest";
import { ENDPOINT_DISABLED, EVENT_SOURCE } from "../../functions/core/events.ts";
import { resolveStage, STAGES } from "../../lib/stage.ts";
import { matchesPattern } from "./event-pattern.ts";
import { at, listAt, resourcesOf, synthesise, type Template } from "./synth.ts";

const FROM = "torpedo@sms.example.org";
const { torpedo, validationReports } = synthesise("prod", { prod: { notices: { from: FROM } } });

const ofNotices = (template: Template, type: string) =>
  resourcesOf(template, type).filter(([id]) => id.startsWith("Notices"));

describe("notices", () => {
  test.each(Object.keys(STAGES))("are not deployed in %s, which has no sender", (stage) => {
    const ids = Object.keys(synthesise(stage).torpedo.Resources);
    expect(ids.filter((id) => id.startsWith("Notices"))).toEqual([]);
    expect(JSON.stringify(synthesise(stage).torpedo)).not.toContain("ses:");
  });

  test("send as the stage's sender, and as nobody else", () => {
    const statements = resourcesOf(torpedo, "AWS::IAM::Policy").flatMap(([id, policy]) =>
      listAt(policy.Properties, "PolicyDocument", "Statement")
        .filter((statement) => JSON.stringify(statement).includes("ses:"))
        .map((statement) => [id.replace(/[0-9A-F]{8}$/, ""), statement]),
    );
    const identity = (name: string) => ({
      "Fn::Join": [
        "",
        [
          "arn:",
          { Ref: "AWS::Partition" },
          ":ses:",
          { Ref: "AWS::Region" },
          ":",
          { Ref: "AWS::AccountId" },
          `:identity/${name}`,
        ],
      ],
    });
    expect(statements).toEqual([
      [
        "NoticesFunctionRoleDefaultPolicy",
        {
          Effect: "Allow",
          Action: "ses:SendEmail",
          Resource: [identity("sms.example.org"), identity(FROM)],
          Condition: { StringEquals: { "ses:FromAddress": FROM } },
        },
      ],
    ]);
  });

  test("may read what is in the partitions of accounts, and change nothing", () => {
    const [policy] = ofNotices(torpedo, "AWS::IAM::Policy");
    const statements = listAt(policy?.[1].Properties, "PolicyDocument", "Statement").filter(
      (statement) => JSON.stringify(statement).includes("dynamodb:"),
    );
    expect(statements).toMatchObject([
      {
        Action: ["dynamodb:GetItem", "dynamodb:Query"],
        Condition: { "ForAllValues:StringLike": { "dynamodb:LeadingKeys": ["ACCOUNT#*"] } },
      },
    ]);
  });

  test("are of endpoints that were disabled, and of nothing else", () => {
    const rules = ofNotices(torpedo, "AWS::Events::Rule");
    expect(rules).toHaveLength(1);
    const pattern = at(rules[0]?.[1].Properties, "EventPattern");
    const eventOf = (detailType: string) => ({
      source: EVENT_SOURCE,
      "detail-type": detailType,
      detail: {},
    });
    expect(matchesPattern(pattern, eventOf(ENDPOINT_DISABLED))).toBe(true);
    expect(matchesPattern(pattern, eventOf("Message Status Changed"))).toBe(false);
  });

  test("have a dead-letter queue with an alarm", () => {
    const queues = ofNotices(torpedo, "AWS::SQS::Queue");
    expect(queues).toHaveLength(2);
    expect(ofNotices(torpedo, "AWS::CloudWatch::Alarm")).toHaveLength(2);
  });

  test("are clean of cdk-nag's AwsSolutions findings", () => {
    expect(validationReports).toEqual([]);
  });

  test("come from an e-mail address", () => {
    expect(() => resolveStage("prod", { prod: { notices: { from: "nobody" } } })).toThrow(
      /stages\.prod\.notices\.from/,
    );
    expect(() => resolveStage("prod", { prod: { notices: {} } })).toThrow(/notices\.from/);
  });
});
