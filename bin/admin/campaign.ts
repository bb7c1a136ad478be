import { getAccount } from "../../functions/core/accounts.ts";
import type { Campaign } from "../../functions/core/content.ts";
import { createCampaign, removeCampaign } from "../../functions/core/contents.ts";
import { printable } from "../printable.ts";
import { type OfAccount, onAccount } from "./options.ts";
import { describeItem, linesOf } from "./output.ts";
import type { Session } from "./session.ts";

/** Adds `campaign`. */
export function addCampaignCommands({ program, connect, report }: Session): void {
  const campaign = program
    .command("campaign")
    .description("what messages can be sent for (`campaignAlias`)");

  onAccount(campaign.command("create"))
    .description("create a campaign and print its number")
    .requiredOption("--alias <alias>", "its name, which is unique")
    .action(
      report(async (options: OfAccount & { alias: string }) => {
        const created = await createCampaign(await connect(), options);
        return { lines: [campaignLine(created)], json: describeItem(created) };
      }),
    );

  onAccount(campaign.command("list"))
    .description("list the account's campaigns")
    .action(
      report(async ({ account }: OfAccount) => {
        const { directory, contents } = await connect();
        await getAccount(directory, account);
        const found = await contents.listCampaigns(account);
        return {
          lines: linesOf(found, campaignLine, "The account has no campaigns."),
          json: { campaigns: found.map(describeItem) },
        };
      }),
    );

  onAccount(campaign.command("remove"))
    .description("remove a campaign; messages that were sent for it keep it")
    .requiredOption("--alias <alias>", "the campaign's alias")
    .action(
      report(async ({ account, alias }: OfAccount & { alias: string }) => {
        await removeCampaign(await connect(), account, alias);
        return { lines: ["removed"], json: { removed: alias } };
      }),
    );
}

const campaignLine = ({ campaignId, alias }: Campaign) => `${campaignId}  ${printable(alias)}`;
