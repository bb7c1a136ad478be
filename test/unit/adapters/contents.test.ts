import { marshall } from "@aws-sdk/util-dynamodb";
import { describe, expect, it } from "vitest";
import { createDocumentClient } from "../../../functions/adapters/dynamodb/client.ts";
import { createContents } from "../../../functions/adapters/dynamodb/contents.ts";
import { UnreadableItemError } from "../../../functions/core/errors.ts";
import { sampleCampaign, sampleFlow, sampleTemplate } from "../../support/customer-samples.ts";
import { AWAY } from "../../support/simulated-table.ts";
import { stubbedAws, type WireRequest, type WireResponse } from "../../support/stub-aws.ts";

function contentsAnswering(respond?: (request: WireRequest) => WireResponse) {
  const { requests, config } = stubbedAws(respond);
  const client = createDocumentClient(config);
  return { requests, contents: createContents({ client, tableName: "Directory" }) };
}

const campaign = sampleCampaign({ alias: "ofertas" });
const contentsHolding = (stored: object) =>
  contentsAnswering(() => ({
    status: 400,
    body: {
      __type: "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException",
      message: "The conditional request failed",
      Item: marshall({ pk: "ACCOUNT#acme", sk: "CAMPAIGN#ofertas", ...stored }),
    },
  })).contents;

describe("contents in DynamoDB", () => {
  it("lie in the partition of their account, templates in the order of their numbers", async () => {
    const { requests, contents } = contentsAnswering();
    await contents.insertTemplate(sampleTemplate({ templateId: 9 }));
    await contents.replaceTemplate(sampleTemplate({ templateId: 10 }));
    await contents.insertFlow(sampleFlow());
    await contents.insertCampaign(campaign);
    const keys = requests.map(({ body }) => body.Item as Record<"pk" | "sk", { S: string }>);
    expect(keys.map(({ pk, sk }) => [pk.S, sk.S])).toEqual([
      ["ACCOUNT#acme", "TEMPLATE#0000000000000009"],
      ["ACCOUNT#acme", "TEMPLATE#0000000000000010"],
      ["ACCOUNT#acme", "FLOW#flow-1"],
      ["ACCOUNT#acme", "CAMPAIGN#ofertas"],
    ]);
  });

  it("are not looked for under names that no key can hold", async () => {
    const { requests, contents } = contentsAnswering();
    expect(await contents.findFlow("acme", "😀".repeat(300))).toBeUndefined();
    expect(await contents.removeCampaign("acme", "é".repeat(600))).toBe(false);
    expect(requests).toEqual([]);
  });

  it("have a campaign once, and once where the SDK's second try finds what its first has written", async () => {
    expect(await contentsHolding(campaign).insertCampaign(campaign)).toBe(true);
    expect(await contentsHolding({ ...campaign, campaignId: 2 }).insertCampaign(campaign)).toBe(
      false,
    );
  });

  it("are created where there is none of the name, and replaced where it is the same one", async () => {
    const { requests, contents } = contentsAnswering();
    await contents.insertTemplate(sampleTemplate());
    await contents.insertFlow(sampleFlow());
    await contents.replaceTemplate(sampleTemplate({ createdAt: 5 }));
    await contents.replaceFlow(sampleFlow({ createdAt: 5 }));
    const conditions = requests.map(({ body }) => [
      body.ConditionExpression,
      body.ExpressionAttributeValues,
    ]);
    expect(conditions).toEqual([
      ["attribute_not_exists(pk)", undefined],
      ["attribute_not_exists(pk)", undefined],
      ["createdAt = :createdAt", { ":createdAt": { N: "5" } }],
      ["createdAt = :createdAt", { ":createdAt": { N: "5" } }],
    ]);
  });

  it("get their numbers in one step", async () => {
    const { requests, contents } = contentsAnswering(() => ({
      body: { Attributes: { last: { N: "7" } } },
    }));
    expect(await contents.nextNumber("acme", "template")).toBe(7);
    expect(requests.map(({ target }) => target)).toEqual(["DynamoDB_20120810.UpdateItem"]);
    expect(requests[0]?.body.Key).toEqual({
      pk: { S: "ACCOUNT#acme" },
      sk: { S: "COUNTER#template" },
    });
  });

  it("are not taken for absent, or for written, where DynamoDB does not answer", async () => {
    const { contents } = contentsAnswering(() => AWAY);
    await expect(contents.findTemplate("acme", 1)).rejects.toThrow("away");
    await expect(contents.insertTemplate(sampleTemplate())).rejects.toThrow("away");
    await expect(contents.replaceFlow(sampleFlow())).rejects.toThrow("away");
    await expect(contents.removeFlow("acme", "flow-1")).rejects.toThrow("away");
    await expect(contents.insertCampaign(campaign)).rejects.toThrow("away");
    await expect(contents.nextNumber("acme", "campaign")).rejects.toThrow("away");
  });

  it("are not guessed at where they are of a version that is not known", async () => {
    const { contents } = contentsAnswering(() => ({
      body: { Item: marshall({ ...sampleTemplate(), ...sampleFlow(), ...campaign, version: 2 }) },
    }));
    await expect(contents.findTemplate("acme", 1)).rejects.toThrow(UnreadableItemError);
    await expect(contents.findFlow("acme", "flow-1")).rejects.toThrow(UnreadableItemError);
    await expect(contents.findCampaign("acme", "ofertas")).rejects.toThrow(UnreadableItemError);
  });
});
