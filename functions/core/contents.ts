import { assertValid, ConflictError, getAccount, InvalidRequestError } from "./accounts.ts";
import {
  type Campaign,
  campaignSchema,
  type Flow,
  flowSchema,
  type Template,
  templateSchema,
} from "./content.ts";
import type { Contents, SubAccounts } from "./customer-ports.ts";
import { applyChanges } from "./field-changes.ts";
import type { Clock, Directory, Randomness } from "./ports.ts";
import { getSubAccount } from "./sub-accounts.ts";

interface ContentDependencies {
  readonly contents: Contents;
  readonly directory: Pick<Directory, "findAccount">;
  readonly clock: Clock;
}
type WithSubAccounts = { readonly subAccounts: Pick<SubAccounts, "findSubAccount"> };

/**
 * Creates a template.
 *
 * @param request.subAccount whose users alone may use it; all of the account's where not given
 * @param request.templateId a number of one's own choice; the account's next where not given
 * @throws InvalidRequestError for a number that is taken, a name or text that is not allowed, or
 *   where there is no such account or sub-account
 */
export async function createTemplate(
  deps: ContentDependencies & WithSubAccounts,
  request: {
    account: string;
    name: string;
    text: string;
    subAccount?: string | undefined;
    templateId?: number | undefined;
  },
): Promise<Template> {
  const { account, subAccount, templateId } = request;
  await getAccount(deps.directory, account);
  if (subAccount !== undefined) await getSubAccount(deps, account, subAccount);
  const template = assertValid(templateSchema, {
    version: 1,
    ...request,
    // Read before a number is drawn, so that a wrong request uses none up.
    templateId: templateId ?? 0,
    createdAt: deps.clock.now(),
  });
  if (templateId === undefined) return insertNumbered(deps.contents, template);
  if (await deps.contents.insertTemplate(template)) return template;
  throw new ConflictError(`account "${account}" has a template ${templateId} already`);
}

/** Under the account's next number that no template of it was given by hand. */
async function insertNumbered(contents: Contents, template: Template): Promise<Template> {
  const templateId = await contents.nextNumber(template.account, "template");
  const numbered = { ...template, templateId };
  return (await contents.insertTemplate(numbered)) ? numbered : insertNumbered(contents, template);
}

/**
 * Changes a template; messages that were accepted before keep their text.
 *
 * @param changes.subAccount null opens it to all of the account's users
 * @throws InvalidRequestError for a name or text that is not allowed, where there is no such
 *   template or sub-account, or where somebody else is removing it
 */
export async function changeTemplate(
  deps: Pick<ContentDependencies, "contents"> & WithSubAccounts,
  account: string,
  templateId: number,
  changes: {
    name?: string | undefined;
    text?: string | undefined;
    subAccount?: string | null | undefined;
  },
): Promise<Template> {
  const found = await deps.contents.findTemplate(account, templateId);
  if (!found) throw noTemplateError(account, templateId);
  if (changes.subAccount != null) await getSubAccount(deps, account, changes.subAccount);
  const changed = assertValid(templateSchema, applyChanges(found, changes));
  if (await deps.contents.replaceTemplate(changed)) return changed;
  throw beingChangedError(`template ${templateId}`);
}

/**
 * Removes a template.
 * @throws InvalidRequestError where there is no such template
 */
export async function removeTemplate(
  { contents }: Pick<ContentDependencies, "contents">,
  account: string,
  templateId: number,
): Promise<void> {
  if (!(await contents.removeTemplate(account, templateId))) {
    throw noTemplateError(account, templateId);
  }
}

const noTemplateError = (account: string, templateId: number) =>
  new InvalidRequestError(`account "${account}" has no template ${templateId}`);

const beingChangedError = (what: string) =>
  new ConflictError(`${what} is being removed or replaced by somebody else; try again`);

/**
 * Creates a flow: a text under an id.
 *
 * @param request.flowId an UUID where not given
 * @throws InvalidRequestError for an id that is taken, an id or text that is not allowed, or where
 *   there is no such account
 */
export async function createFlow(
  {
    contents,
    directory,
    clock,
    randomness,
  }: ContentDependencies & { readonly randomness: Pick<Randomness, "uuid"> },
  request: { account: string; text: string; flowId?: string | undefined },
): Promise<Flow> {
  await getAccount(directory, request.account);
  const flow = assertValid(flowSchema, {
    version: 1,
    ...request,
    flowId: request.flowId ?? randomness.uuid(),
    createdAt: clock.now(),
  });
  if (await contents.insertFlow(flow)) return flow;
  throw new ConflictError(`account "${flow.account}" has a flow ${flow.flowId} already`);
}

/**
 * Changes a flow's text; messages that were accepted before keep theirs.
 * @throws InvalidRequestError for a text that is not allowed, where there is no such flow, or where
 *   somebody else is removing it
 */
export async function changeFlow(
  { contents }: Pick<ContentDependencies, "contents">,
  account: string,
  flowId: string,
  changes: { text?: string | undefined },
): Promise<Flow> {
  const found = await contents.findFlow(account, flowId);
  if (!found) throw noFlowError(account, flowId);
  const changed = assertValid(flowSchema, applyChanges(found, changes));
  if (await contents.replaceFlow(changed)) return changed;
  throw beingChangedError(`flow ${flowId}`);
}

/**
 * Removes a flow.
 * @throws InvalidRequestError where there is no such flow
 */
export async function removeFlow(
  { contents }: Pick<ContentDependencies, "contents">,
  account: string,
  flowId: string,
): Promise<void> {
  if (!(await contents.removeFlow(account, flowId))) throw noFlowError(account, flowId);
}

const noFlowError = (account: string, flowId: string) =>
  new InvalidRequestError(`account "${account}" has no flow ${flowId}`);

/**
 * Creates a campaign under the account's next number.
 * @throws InvalidRequestError for an alias that is taken or not allowed, or where there is no such
 *   account
 */
export async function createCampaign(
  { contents, directory, clock }: ContentDependencies,
  request: { account: string; alias: string },
): Promise<Campaign> {
  await getAccount(directory, request.account);
  const alias = assertValid(campaignSchema.shape.alias, request.alias);
  const campaign: Campaign = {
    version: 1,
    account: request.account,
    campaignId: await contents.nextNumber(request.account, "campaign"),
    alias,
    createdAt: clock.now(),
  };
  if (await contents.insertCampaign(campaign)) return campaign;
  throw new ConflictError(`account "${request.account}" has a campaign "${alias}" already`);
}

/**
 * Removes a campaign. Messages that were sent for it keep its number and alias.
 * @throws InvalidRequestError where there is no such campaign
 */
export async function removeCampaign(
  { contents }: Pick<ContentDependencies, "contents">,
  account: string,
  alias: string,
): Promise<void> {
  if (!(await contents.removeCampaign(account, alias))) {
    throw new InvalidRequestError(`account "${account}" has no campaign "${alias}"`);
  }
}
