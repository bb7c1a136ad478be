import { setTimeout } from "node:timers/promises";
import { Command } from "commander";
import { InvalidRequestError } from "../functions/core/accounts.ts";
import { addCommands } from "./admin/commands.ts";
import type { Session } from "./admin/session.ts";
import { openStageCarriers } from "./admin/stage-carriers.ts";
import { NoTargetError, readStackOutputs, resolveTarget } from "./aws-target.ts";
import { openCallbacks, openDirectory } from "./directory-client.ts";

const program = new Command("npm run admin --")
  .description("Manages a deployed Torpedo: accounts and everything that belongs to them")
  .option("--stage <stage>", "the stage to manage (default: TORPEDO_STAGE, else local or dev)")
  .option("--json", "print one JSON object and nothing else on stdout")
  .showHelpAfterError("(--help shows how)")
  .addHelpText(
    "after",
    `
Which AWS or emulator is managed is what the environment points at: AWS_PROFILE or AWS_ACCESS_KEY_ID,
or AWS_ENDPOINT_URL for an emulator. Where it names nothing, it is the one that "npm start" runs.`,
  );

const session: Session = {
  program,
  async connect() {
    const target = resolveTarget(program.opts<{ stage?: string }>().stage);
    const outputs = await readStackOutputs(target);
    return {
      outputs,
      target,
      ...openDirectory(outputs, target.clientConfig),
      ...openCallbacks(outputs, target.clientConfig),
      ...openStageCarriers(outputs, target.clientConfig),
      pause: (ms) => setTimeout(ms),
    };
  },
  report(run) {
    return async (...args) => {
      try {
        const { lines, json } = await run(...args);
        const asJson = program.opts<{ json?: boolean }>().json;
        console.log(asJson ? JSON.stringify(json) : lines.join("\n"));
      } catch (error) {
        const known = error instanceof InvalidRequestError || error instanceof NoTargetError;
        console.error(known || !process.env.TORPEDO_DEBUG ? `Error: ${messageOf(error)}` : error);
        process.exitCode = 1;
      }
    };
  },
};

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

addCommands(session);

await program.parseAsync();
