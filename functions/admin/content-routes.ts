import {
  changeFlow,
  changeTemplate,
  createCampaign,
  createFlow,
  createTemplate,
  removeCampaign,
  removeFlow,
  removeTemplate,
} from "../core/contents.ts";
import {
  type AdministrationDependencies,
  changing,
  defineRoute,
  existing,
  listed,
  type Route,
} from "./route.ts";
import {
  campaignAnswer,
  campaignCreation,
  describeCampaign,
  describeFlow,
  describeTemplate,
  flowAnswer,
  flowCreation,
  flowReplacement,
  listOf,
  page,
  templateAnswer,
  templateChange,
  templateCreation,
} from "./schema.ts";

type Deps = AdministrationDependencies;

const aboutTemplate = ({ contents }: Deps, account: string, templateId: number) => ({
  what: "template",
  find: () => contents.findTemplate(account, templateId),
});
const aboutFlow = ({ contents }: Deps, account: string, flowId: string) => ({
  what: "flow",
  find: () => contents.findFlow(account, flowId),
});
const aboutCampaign = ({ contents }: Deps, account: string, alias: string) => ({
  what: "campaign",
  find: () => contents.findCampaign(account, alias),
});

const TEMPLATE_ROUTES: readonly Route[] = [
  defineRoute({
    method: "GET",
    path: "/templates",
    name: "listTemplates",
    summary: "Lists the templates",
    status: 200,
    query: page,
    answer: listOf("templates", templateAnswer),
    run: async ({ contents }, { account, query }) => {
      const all = await contents.listTemplates(account);
      const { total, items } = listed(all, query, describeTemplate);
      return { total, templates: items };
    },
  }),
  defineRoute({
    method: "POST",
    path: "/templates",
    name: "createTemplate",
    summary: "Creates a template",
    status: 201,
    body: templateCreation,
    answer: templateAnswer,
    location: ({ templateId }) => ["templates", templateId],
    run: async (deps, { account, body }) =>
      describeTemplate(await createTemplate(deps, { account, ...body })),
  }),
  defineRoute({
    method: "GET",
    path: "/templates/{templateId}",
    name: "getTemplate",
    summary: "Shows a template",
    status: 200,
    answer: templateAnswer,
    run: async (deps, { account, params: { templateId } }) => {
      const { find, what } = aboutTemplate(deps, account, templateId);
      return describeTemplate(await existing(find(), what));
    },
  }),
  defineRoute({
    method: "PATCH",
    path: "/templates/{templateId}",
    name: "changeTemplate",
    summary: "Changes a template; messages that were accepted before keep their text",
    status: 200,
    body: templateChange,
    answer: templateAnswer,
    run: async (deps, { account, params: { templateId }, body }) =>
      describeTemplate(
        await changing(aboutTemplate(deps, account, templateId), () =>
          changeTemplate(deps, account, templateId, body),
        ),
      ),
  }),
  defineRoute({
    method: "DELETE",
    path: "/templates/{templateId}",
    name: "removeTemplate",
    summary: "Removes a template",
    status: 204,
    run: (deps, { account, params: { templateId } }) =>
      changing(aboutTemplate(deps, account, templateId), () =>
        removeTemplate(deps, account, templateId),
      ),
  }),
];

const CAMPAIGN_ROUTES: readonly Route[] = [
  defineRoute({
    method: "GET",
    path: "/campaigns",
    name: "listCampaigns",
    summary: "Lists the campaigns",
    status: 200,
    query: page,
    answer: listOf("campaigns", campaignAnswer),
    run: async ({ contents }, { account, query }) => {
      const all = await contents.listCampaigns(account);
      const { total, items } = listed(all, query, describeCampaign);
      return { total, campaigns: items };
    },
  }),
  defineRoute({
    method: "POST",
    path: "/campaigns",
    name: "createCampaign",
    summary: "Creates a campaign under the account's next number",
    status: 201,
    body: campaignCreation,
    answer: campaignAnswer,
    location: ({ alias }) => ["campaigns", alias],
    run: async (deps, { account, body }) =>
      describeCampaign(await createCampaign(deps, { account, ...body })),
  }),
  defineRoute({
    method: "GET",
    path: "/campaigns/{alias}",
    name: "getCampaign",
    summary: "Shows a campaign",
    status: 200,
    answer: campaignAnswer,
    run: async (deps, { account, params: { alias } }) => {
      const { find, what } = aboutCampaign(deps, account, alias);
      return describeCampaign(await existing(find(), what));
    },
  }),
  defineRoute({
    method: "DELETE",
    path: "/campaigns/{alias}",
    name: "removeCampaign",
    summary: "Removes a campaign; messages that were sent for it keep its number and alias",
    status: 204,
    run: (deps, { account, params: { alias } }) =>
      changing(aboutCampaign(deps, account, alias), () => removeCampaign(deps, account, alias)),
  }),
];

const FLOW_ROUTES: readonly Route[] = [
  defineRoute({
    method: "GET",
    path: "/flows",
    name: "listFlows",
    summary: "Lists the flows",
    status: 200,
    query: page,
    answer: listOf("flows", flowAnswer),
    run: async ({ contents }, { account, query }) => {
      const { total, items } = listed(await contents.listFlows(account), query, describeFlow);
      return { total, flows: items };
    },
  }),
  defineRoute({
    method: "POST",
    path: "/flows",
    name: "createFlow",
    summary: "Creates a flow",
    status: 201,
    body: flowCreation,
    answer: flowAnswer,
    location: ({ flowId }) => ["flows", flowId],
    run: async (deps, { account, body }) =>
      describeFlow(await createFlow(deps, { account, ...body })),
  }),
  defineRoute({
    method: "GET",
    path: "/flows/{flowId}",
    name: "getFlow",
    summary: "Shows a flow",
    status: 200,
    answer: flowAnswer,
    run: async (deps, { account, params: { flowId } }) => {
      const { find, what } = aboutFlow(deps, account, flowId);
      return describeFlow(await existing(find(), what));
    },
  }),
  defineRoute({
    method: "PUT",
    path: "/flows/{flowId}",
    name: "putFlow",
    summary: "Creates a flow or replaces its text; messages that were accepted before keep theirs",
    status: 200,
    body: flowReplacement,
    answer: flowAnswer,
    run: async (deps, { account, params: { flowId }, body: { text } }) => {
      const about = aboutFlow(deps, account, flowId);
      const flow = (await about.find())
        ? await changing(about, () => changeFlow(deps, account, flowId, { text }))
        : await createFlow(deps, { account, flowId, text });
      return describeFlow(flow);
    },
  }),
  defineRoute({
    method: "DELETE",
    path: "/flows/{flowId}",
    name: "removeFlow",
    summary: "Removes a flow",
    status: 204,
    run: (deps, { account, params: { flowId } }) =>
      changing(aboutFlow(deps, account, flowId), () => removeFlow(deps, account, flowId)),
  }),
];

/** What messages can be made of and sent for: templates, campaigns, flows. */
export const CONTENT_ROUTES = [...TEMPLATE_ROUTES, ...CAMPAIGN_ROUTES, ...FLOW_ROUTES];
