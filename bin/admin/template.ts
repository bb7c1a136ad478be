import { type Command, InvalidArgumentError } from "commander";
import { getAccount } from "../../functions/core/accounts.ts";
import type { Template } from "../../functions/core/content.ts";
import { changeTemplate, createTemplate, removeTemplate } from "../../functions/core/contents.ts";
import { printable } from "../printable.ts";
import { type OfAccount, onAccount, someChangesIn } from "./options.ts";
import { describeItem, linesOf } from "./output.ts";
import type { Session } from "./session.ts";

interface OfTemplate extends OfAccount {
  readonly template: number;
}

const onTemplate = (command: Command) =>
  onAccount(command).requiredOption(
    "--template <number>",
    "the template's number, as `template list` shows it",
    templateNumber,
  );

interface TemplateOptions extends OfAccount {
  readonly name: string;
  readonly text: string;
  readonly subAccount?: string;
  readonly template?: number;
}

/** Adds `template`. */
export function addTemplateCommands({ program, connect, report }: Session): void {
  const template = program
    .command("template")
    .description(
      "texts with placeholders, under a number and a name (`templateId`, `templateName`)",
    );

  onAccount(template.command("create"))
    .description("create a template and print its number")
    .requiredOption("--name <name>", "its name")
    .requiredOption("--text <text>", "what is sent; placeholders are written {{name}}")
    .option("--sub-account <reference>", "whose users alone may use it")
    .option(
      "--template <number>",
      "a number of your choice (default: the next one)",
      templateNumber,
    )
    .action(
      report(async ({ template: templateId, ...options }: TemplateOptions) => {
        const created = await createTemplate(await connect(), { ...options, templateId });
        return { lines: [templateLine(created)], json: describeItem(created) };
      }),
    );

  onAccount(template.command("list"))
    .description("list the account's templates")
    .action(
      report(async ({ account }: OfAccount) => {
        const { directory, contents } = await connect();
        await getAccount(directory, account);
        const found = await contents.listTemplates(account);
        return {
          lines: linesOf(found, templateLine, "The account has no templates."),
          json: { templates: found.map(describeItem) },
        };
      }),
    );

  onTemplate(template.command("set"))
    .description("change a template")
    .option("--name <name>", "its name")
    .option("--text <text>", "what is sent; placeholders are written {{name}}")
    .option("--sub-account <reference>", "whose users alone may use it")
    .option("--no-sub-account", "all of the account's users may use it")
    .action(
      report(async ({ account, template, ...options }: OfTemplate & TemplateChanges) => {
        const { subAccount, ...texts } = someChangesIn(options);
        const changes = { ...texts, subAccount: subAccount === false ? null : subAccount };
        const changed = await changeTemplate(await connect(), account, template, changes);
        return { lines: [templateLine(changed)], json: describeItem(changed) };
      }),
    );

  onTemplate(template.command("remove"))
    .description("remove a template")
    .action(
      report(async ({ account, template }: OfTemplate) => {
        await removeTemplate(await connect(), account, template);
        return { lines: ["removed"], json: { removed: template } };
      }),
    );
}

interface TemplateChanges {
  readonly name?: string;
  readonly text?: string;
  /** False where it is to have none. */
  readonly subAccount?: string | false;
}

function templateNumber(value: string): number {
  if (/^\d{1,15}$/.test(value)) return Number(value);
  throw new InvalidArgumentError("It must be a whole number of up to 15 digits.");
}

const templateLine = ({ templateId, name, subAccount, text }: Template) =>
  [
    templateId,
    printable(name),
    ...(subAccount === undefined ? [] : [`of ${subAccount}`]),
    printable(text),
  ].join("  ");
