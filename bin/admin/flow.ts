import type { Command } from "commander";
import { getAccount } from "../../functions/core/accounts.ts";
import type { Flow } from "../../functions/core/content.ts";
import { changeFlow, createFlow, removeFlow } from "../../functions/core/contents.ts";
import { printable } from "../printable.ts";
import { type OfAccount, onAccount } from "./options.ts";
import { describeItem, linesOf } from "./output.ts";
import type { Session } from "./session.ts";

interface OfFlow extends OfAccount {
  readonly flow: string;
}

const onFlow = (command: Command) =>
  onAccount(command).requiredOption("--flow <id>", "the flow's id, as `flow list` shows it");

/** Adds `flow`. */
export function addFlowCommands({ program, connect, report }: Session): void {
  const flow = program
    .command("flow")
    .description("texts with placeholders, under an id (`flowId`)");

  onAccount(flow.command("create"))
    .description("create a flow and print its id")
    .requiredOption("--text <text>", "what is sent; placeholders are written {{name}}")
    .option("--flow <id>", "an id of your choice (default: a new UUID)")
    .action(
      report(async (options: OfAccount & { text: string; flow?: string }) => {
        const { account, text, flow: flowId } = options;
        const created = await createFlow(await connect(), { account, text, flowId });
        return { lines: [flowLine(created)], json: describeItem(created) };
      }),
    );

  onAccount(flow.command("list"))
    .description("list the account's flows")
    .action(
      report(async ({ account }: OfAccount) => {
        const { directory, contents } = await connect();
        await getAccount(directory, account);
        const found = await contents.listFlows(account);
        return {
          lines: linesOf(found, flowLine, "The account has no flows."),
          json: { flows: found.map(describeItem) },
        };
      }),
    );

  onFlow(flow.command("set"))
    .description("change a flow's text")
    .requiredOption("--text <text>", "what is sent; placeholders are written {{name}}")
    .action(
      report(async ({ account, flow, text }: OfFlow & { text: string }) => {
        const changed = await changeFlow(await connect(), account, flow, { text });
        return { lines: [flowLine(changed)], json: describeItem(changed) };
      }),
    );

  onFlow(flow.command("remove"))
    .description("remove a flow")
    .action(
      report(async ({ account, flow }: OfFlow) => {
        await removeFlow(await connect(), account, flow);
        return { lines: ["removed"], json: { removed: flow } };
      }),
    );
}

const flowLine = ({ flowId, text }: Flow) => `${flowId}  ${printable(text)}`;
