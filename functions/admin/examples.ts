/** For the OpenAPI document: what a route can be asked, and what it answers. */
interface Example {
  readonly body?: unknown;
  readonly answer?: unknown;
}

const CREATED = "2026-11-22T12:00:00Z";
const OPT_OUT = {
  enabled: true,
  keywords: ["SAIR", "PARAR", "STOP", "CANCELAR"],
  backKeywords: ["VOLTAR", "START"],
  confirmation: "Voce nao recebera mais nossas mensagens. Para voltar a receber, responda VOLTAR.",
  backConfirmation: "Voce voltara a receber nossas mensagens.",
};
const account = {
  account: "acme",
  state: "active",
  country: "BR",
  timeZone: "America/Sao_Paulo",
  longMessages: false,
  segmentation: "mesago",
  transliterate: true,
  operatorOfMo: false,
  shortCodes: ["27182"],
  moDialect: "wavy",
  optOut: OPT_OUT,
  rateLimits: {},
  createdAt: CREATED,
};
const limits = {
  perDay: 10_000,
  prepaid: false,
  usage: { day: "2026-11-22", usedToday: 120, month: "2026-11", usedThisMonth: 4_000, credit: 0 },
};
const subAccount = {
  subAccount: "Marketing",
  limits: { perDay: 1_000, prepaid: false },
  createdAt: CREATED,
};
const subAccountLimits = {
  perDay: 1_000,
  prepaid: true,
  usage: { day: "2026-11-22", usedToday: 20, month: "2026-11", usedThisMonth: 300, credit: 5_000 },
};
const user = {
  username: "crm",
  email: "crm@acme.example",
  role: "regular",
  subAccount: "Marketing",
  state: "active",
  tokens: [{ createdAt: CREATED }],
  createdAt: CREATED,
};
const newToken = { ...user, authenticationToken: "zS3bq0cA0mXkUuT1lJt8yq0rN5c7v9d2f4h6j8k0m1o" };
const template = {
  templateId: 1,
  name: "welcome",
  text: "Ola {{name}}, bem-vindo!",
  subAccount: "Marketing",
  createdAt: CREATED,
};
const campaign = { campaignId: 64, alias: "Promo", createdAt: CREATED };
const flow = {
  flowId: "14f8142d-e731-4971-8220-5a76a12c413f",
  text: "Ola {{param1}}",
  createdAt: CREATED,
};
const endpoint = {
  endpointId: "019ac0de-0000-7000-8000-000000000001",
  url: "https://acme.example/callback",
  events: ["sent", "delivered", "received"],
  callbackOption: "ALL",
  method: "POST",
  createdAt: CREATED,
};
const number = "5519900001111";

const list = (name: string, item: object): Example => ({ answer: { total: 1, [name]: [item] } });

/** The examples, by the route's name. */
export const EXAMPLES: Readonly<Record<string, Example>> = {
  getAccount: { answer: account },
  changeAccount: { body: { moDialect: "wavy", transliterate: true }, answer: account },
  getLimits: { answer: limits },
  changeLimits: { body: { perDay: 10_000 }, answer: limits },
  listSubAccounts: list("subAccounts", subAccount),
  createSubAccount: {
    body: { subAccount: "Marketing", limits: { perDay: 1_000 } },
    answer: subAccount,
  },
  getSubAccount: { answer: subAccount },
  changeSubAccount: {
    body: { optOut: { keywords: ["SAIR"] } },
    answer: { ...subAccount, optOut: { ...OPT_OUT, keywords: ["SAIR"] } },
  },
  getSubAccountLimits: { answer: subAccountLimits },
  changeSubAccountLimits: {
    body: { perDay: 1_000, perMonth: null, prepaid: true },
    answer: subAccountLimits,
  },
  addCredit: { body: { parts: 5_000, requestId: "invoice-17" }, answer: { credit: 5_000 } },
  listUsers: list("users", user),
  createUser: {
    body: {
      username: "crm",
      email: "crm@acme.example",
      role: "regular",
      subAccount: "Marketing",
    },
    answer: newToken,
  },
  getUser: { answer: user },
  changeUser: { body: { state: "disabled" }, answer: { ...user, state: "disabled" } },
  rotateToken: { body: { overlapMinutes: 60 }, answer: newToken },
  listTemplates: list("templates", template),
  createTemplate: {
    body: { name: template.name, text: template.text, subAccount: "Marketing" },
    answer: template,
  },
  getTemplate: { answer: template },
  changeTemplate: { body: { text: template.text, subAccount: null }, answer: template },
  listCampaigns: list("campaigns", campaign),
  createCampaign: { body: { alias: "Promo" }, answer: campaign },
  getCampaign: { answer: campaign },
  listFlows: list("flows", flow),
  createFlow: { body: { text: flow.text }, answer: flow },
  getFlow: { answer: flow },
  putFlow: { body: { text: flow.text }, answer: flow },
  listEndpoints: list("endpoints", endpoint),
  addEndpoint: { body: { url: endpoint.url }, answer: endpoint },
  getEndpoint: { answer: endpoint },
  listBlockedNumbers: list("blockedNumbers", { number, createdAt: CREATED }),
  blockNumber: { answer: { number } },
  listOptOuts: list("optOuts", {
    number,
    subAccount: "Marketing",
    origin: "admin",
    createdAt: CREATED,
  }),
  optOut: { answer: { number, subAccount: "Marketing" } },
};
