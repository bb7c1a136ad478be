import { UpdateCommand } from "@aws-sdk/lib-dynamodb";
import * as z from "zod";
import { campaignSchema, flowSchema, templateSchema } from "../../core/content.ts";
import type { Contents } from "../../core/customer-ports.ts";
import { createAccountItems, type DirectoryTable } from "./directory-items.ts";
import { DIRECTORY_SORT_KEY, keyInAccount } from "./directory-keys.ts";
import { parseItem } from "./items.ts";

/** Every safe integer has as many, so that sorting by key is sorting by number. */
const TEMPLATE_DIGITS = String(Number.MAX_SAFE_INTEGER).length;

const templateName = (templateId: number) => String(templateId).padStart(TEMPLATE_DIGITS, "0");

const counterSchema = z.object({ last: z.number().int() });

/** The texts and campaigns, in DynamoDB. */
export function createContents(table: DirectoryTable): Contents {
  const templates = createAccountItems(table, {
    name: "template",
    schema: templateSchema,
    prefix: DIRECTORY_SORT_KEY.template,
    nameOf: ({ templateId }) => templateName(templateId),
  });
  const flows = createAccountItems(table, {
    name: "flow",
    schema: flowSchema,
    prefix: DIRECTORY_SORT_KEY.flow,
    nameOf: ({ flowId }) => flowId,
  });
  const campaigns = createAccountItems(table, {
    name: "campaign",
    schema: campaignSchema,
    prefix: DIRECTORY_SORT_KEY.campaign,
    nameOf: ({ alias }) => alias,
  });

  return {
    findTemplate: (account, templateId) => templates.find(account, templateName(templateId)),
    listTemplates: templates.list,
    insertTemplate: templates.insert,
    replaceTemplate: templates.replaceSame,
    removeTemplate: (account, templateId) => templates.remove(account, templateName(templateId)),
    findFlow: flows.find,
    listFlows: flows.list,
    insertFlow: flows.insert,
    replaceFlow: flows.replaceSame,
    removeFlow: flows.remove,
    findCampaign: campaigns.find,
    listCampaigns: campaigns.list,
    insertCampaign: campaigns.insert,
    removeCampaign: campaigns.remove,

    async nextNumber(account, of) {
      const { Attributes } = await table.client.send(
        new UpdateCommand({
          TableName: table.tableName,
          Key: keyInAccount(account, DIRECTORY_SORT_KEY.counter + of),
          // Where the SDK repeats this by itself, a number is skipped.
          UpdateExpression: "ADD #last :one",
          ExpressionAttributeNames: { "#last": "last" },
          ExpressionAttributeValues: { ":one": 1 },
          ReturnValues: "UPDATED_NEW",
        }),
      );
      return parseItem(counterSchema, Attributes, "counter").last;
    },
  };
}
