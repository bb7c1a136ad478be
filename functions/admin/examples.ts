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
  email: "ops@acme.example",
  country: "BR",
  timeZone: "America/Sao_Paulo",
  longMessages: false,
  segmentation: "mesago",
  transliterate: true,
  operatorOfMo: false,
  shortCodes: ["27182"],
  moDialect: "wavy",
  optOut: OPT_OUT,
  senders: ["27182"],
  routes: [
    { country: ["BR"], lane: "singles", share: 70, carrier: "kannel" },
    { country: ["BR"], carrier: "aws" },
    { carrier: "aws" },
  ],
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
  format: "dialect",
  headers: ["authorization"],
  secrets: [{ createdAt: CREATED }],
  state: "active",
  createdAt: CREATED,
};
const newEndpoint = { ...endpoint, secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw5Rv8pMjq2Hk=" };
const AT = "2026-11-22T12:00:00.000Z";
const callbackSummary = {
  callbackId: `${endpoint.endpointId}_019ac0de-0000-7000-8000-000000000002_delivered`,
  endpointId: endpoint.endpointId,
  level: "delivered",
  messageId: "order-17",
  state: "failed",
  cause: "HTTP 404",
  attemptCount: 3,
  createdAt: AT,
  settledAt: "2026-11-22T12:01:06.000Z",
};
const event = {
  version: 1,
  eventId: "019ac0de-0000-7000-8000-000000000002.DELIVERED.1795348800000",
  account: "acme",
  id: "order-17",
  state: "DELIVERED",
  at: AT,
};
const callback = {
  ...callbackSummary,
  deadline: "2026-11-23T12:00:00.000Z",
  attempts: [
    { at: AT, durationMs: 130, failure: "timeout" },
    { at: "2026-11-22T12:00:05.000Z", durationMs: 61, status: 404, answer: "no such page" },
  ],
  event,
};
const begun = {
  ...callback,
  callbackId: `${endpoint.endpointId}_test-019ac0de-0000-7000-8000-000000000003_test`,
  level: "test",
  messageId: "019ac0de-0000-7000-8000-000000000004",
  state: "pending",
  attemptCount: 0,
  attempts: [],
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
  addEndpoint: {
    body: { url: endpoint.url, headers: { Authorization: "Basic Y3JtOmtleQ==" } },
    answer: newEndpoint,
  },
  getEndpoint: {
    answer: {
      ...endpoint,
      state: "disabled",
      disabledReason: "gone",
      stateAt: CREATED,
      failingSince: CREATED,
    },
  },
  changeEndpoint: {
    body: { events: ["any"], format: "cloudevents", headers: { "X-Old": null } },
    answer: { ...endpoint, events: ["any"], format: "cloudevents" },
  },
  rotateEndpointSecret: {
    body: { overlapMinutes: 60 },
    answer: {
      ...newEndpoint,
      secrets: [{ createdAt: CREATED }, { createdAt: CREATED, validUntil: "2026-11-22T13:00:00Z" }],
    },
  },
  setEndpointState: {
    body: { state: "paused" },
    answer: { ...endpoint, state: "paused", stateAt: CREATED },
  },
  testEndpoint: { answer: begun },
  replayEndpoint: { body: { since: "2026-11-22T00:00:00Z" } },
  listCallbacks: { answer: { callbacks: [callbackSummary], next: AT } },
  getCallback: { answer: callback },
  replayCallback: { answer: { ...callback, state: "pending" } },
  replayCallbacks: {
    body: { since: "2026-11-22T00:00:00Z" },
    answer: { endpointIds: [endpoint.endpointId] },
  },
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
