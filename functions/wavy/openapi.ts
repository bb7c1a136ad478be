import * as z from "zod";
import type {
  ZodOpenApiObject,
  ZodOpenApiOperationObject,
  ZodOpenApiResponseObject,
} from "zod-openapi";
import {
  bulkAnswerSchema,
  bulkRequestSchema,
  errorAnswerSchema,
  messageStatusSchema,
  periodQuerySchema,
  receivedAnswerSchema,
  receivedMessageSchema,
  searchRequestSchema,
  singleAnswerSchema,
  singleRequestSchema,
  statusesAnswerSchema,
  statusQuerySchema,
  subAccountQuerySchema,
} from "./schema.ts";

const TAG = "Wavy";
/** Both of them. */
const BY_HEADERS = { username: [], authenticationToken: [] };
/** What is asked by GET may carry both in its query. */
const BY_QUERY = { usernameInQuery: [], authenticationTokenInQuery: [] };

const json = (schema: z.ZodType, examples: Readonly<Record<string, unknown>>) => ({
  "application/json": {
    schema,
    examples: Object.fromEntries(
      Object.entries(examples).map(([name, value]) => [name, { value }]),
    ),
  },
});

const wavyError = errorAnswerSchema.meta({
  id: "WavyError",
  description: "Why a request was refused.",
});

/** What a request is refused with, by HTTP status. */
const FAILURES = {
  400: ["INVALID_REQUEST", "The request is wrong; the message says why."],
  401: ["UNAUTHORIZED", "Nobody's user name and authentication token."],
  403: ["FORBIDDEN", "The sub-account is not the caller's."],
  404: ["NOT_FOUND", "There is no such message."],
  413: ["PAYLOAD_TOO_LARGE", "The body is too large."],
  415: ["UNSUPPORTED_MEDIA_TYPE", "The body is not JSON."],
  429: ["TOO_MANY_REQUESTS", "There are too many requests from this address."],
  500: ["INTERNAL_ERROR", "An error of ours."],
  503: ["SERVICE_UNAVAILABLE", "Nothing was accepted; to be tried again."],
} as const;
type FailureStatus = keyof typeof FAILURES;

const REFUSALS = new Map(
  Object.entries(FAILURES).map(([status, [errorCode, description]]) => {
    const response: ZodOpenApiResponseObject = {
      id: `WavyError${status}`,
      description,
      content: json(wavyError, { answer: { errorCode, errorMessage: description } }),
      ...(status === "429" && {
        headers: z.object({
          "retry-after": z.string().meta({ description: "Seconds until it is of use again." }),
        }),
      }),
    };
    return [Number(status), response] as const;
  }),
);

/** An operation that answers 200, or one of the failures. */
function operation(
  operationId: string,
  summary: string,
  {
    failures = [],
    answer,
    ...more
  }: Pick<ZodOpenApiOperationObject, "requestBody" | "requestParams"> & {
    readonly answer: ReturnType<typeof json>;
    readonly failures?: readonly FailureStatus[];
  },
): ZodOpenApiOperationObject {
  const statuses: FailureStatus[] = [400, 401, ...failures, 429, 500, 503];
  return {
    operationId,
    summary,
    tags: [TAG],
    security: [BY_HEADERS],
    ...more,
    responses: {
      "200": { description: "Done.", content: answer },
      ...Object.fromEntries(statuses.map((status) => [status, REFUSALS.get(status)])),
    },
  };
}

/** One that is asked by GET. */
const query = (...described: Parameters<typeof operation>): ZodOpenApiOperationObject => ({
  ...operation(...described),
  security: [BY_HEADERS, BY_QUERY],
});

const body = (schema: z.ZodType, examples: Readonly<Record<string, unknown>>) => ({
  required: true,
  content: json(schema, examples),
});

const single = singleRequestSchema.meta({
  id: "WavySms",
  override: ({ jsonSchema }: { jsonSchema: { required?: string[] } }) => {
    // That of a template or a flow can take the place of `messageText`.
    jsonSchema.required = ["destination"];
  },
});
const bulk = bulkRequestSchema.meta({ id: "WavySmsList" });
const search = searchRequestSchema.meta({ id: "WavyStatusSearch" });
const status = messageStatusSchema.meta({
  id: "WavyStatus",
  description: "A message's status: the fields of a level once it is known.",
});
const statuses = statusesAnswerSchema.extend({ messages: z.array(status) });
const mos = receivedAnswerSchema.extend({
  messages: z.array(
    receivedMessageSchema.meta({ id: "WavyMo", description: "A message from a phone." }),
  ),
});

/** The same fields as texts. */
const singleQuery = z.object({
  ...singleRequestSchema.shape,
  timeWindow: z.string().optional().meta({
    description: "The hours in which the message may be sent: `[11,12]` or `11,12`.",
  }),
  params: z.string().optional().meta({
    description: "Values of the text's placeholders by name, as JSON.",
  }),
});

const SENT = [{ id: "9cb87d36-79af-11e5-89f3-1b0591cdf807", correlationId: "myId" }];
const DELIVERED = {
  id: "8f5af680-973e-11e4-ad43-4ee58e9a13a6",
  correlationId: "myId",
  carrierId: 5,
  carrierName: "TIM",
  destination: "5519900001111",
  sentStatusCode: 2,
  sentStatus: "SENT_SUCCESS",
  sentStatusAt: 1420732929252,
  sentStatusDate: "2015-01-08T16:02:09Z",
  deliveredStatusCode: 4,
  deliveredStatus: "DELIVERED_SUCCESS",
  deliveredAt: 1420732954000,
  deliveredDate: "2015-01-08T16:02:34Z",
  campaignId: 1234,
};
const MOS = {
  total: 1,
  start: "2016-09-04T11:12:41Z",
  end: "2016-09-08T11:17:39.113Z",
  messages: [
    {
      id: "25950050-7362-11e6-be62-001b7843e7d4",
      subAccount: "Marketing",
      campaignAlias: "Promo",
      carrierId: 1,
      carrierName: "VIVO",
      source: "5516981562820",
      shortCode: "28128",
      messageText: "Eu quero pizza",
      receivedAt: 1473088405588,
      receivedDate: "2016-09-05T12:13:25Z",
      mt: {
        id: "8be584fd-2554-439b-9ba9-aab507278992",
        correlationId: "1876",
        username: "iFoodCS",
        email: "cs@ifood.example",
      },
    },
  ],
};

const statusesFound = json(statuses, { found: { total: 1, messages: [DELIVERED] } });

/** The Wavy API, for the OpenAPI document. */
export const description = {
  tags: [{ name: TAG, description: "Wavy's, later Sinch's, SMS API." }],
  components: {
    securitySchemes: {
      username: {
        type: "apiKey",
        in: "header",
        name: "username",
        description: "A user's name or e-mail address.",
      },
      authenticationToken: {
        type: "apiKey",
        in: "header",
        name: "authenticationtoken",
        description: "The user's token.",
      },
      usernameInQuery: { type: "apiKey", in: "query", name: "username" },
      authenticationTokenInQuery: { type: "apiKey", in: "query", name: "authenticationToken" },
    },
  },
  paths: {
    "/v1/send-sms": {
      post: operation("wavySendSms", "Sends one message", {
        requestBody: body(single, {
          simple: { destination: "5511900000000", messageText: "linha\nquebrada" },
          template: { destination: "5511900000000", templateId: 0, params: { name: "Bob" } },
        }),
        answer: json(singleAnswerSchema, { sent: SENT }),
        failures: [403, 413, 415],
      }),
      get: query("wavySendSmsByQuery", "Sends one message, its fields in the query", {
        requestParams: { query: singleQuery },
        answer: json(singleAnswerSchema, { sent: SENT }),
        failures: [403],
      }),
    },
    "/v1/send-bulk-sms": {
      post: operation("wavySendBulkSms", "Sends up to 1,000 messages", {
        requestBody: body(bulk, {
          defaults: {
            messages: [
              { destination: "5519900001111", messageText: "First message" },
              { destination: "5519900002222" },
            ],
            timeZone: "America/Sao_Paulo",
            scheduledDate: "2017-01-28T02:30:43",
            timeWindow: [12, 15, 20],
            defaultValues: { messageText: "Default message" },
          },
          flow: {
            messages: [
              {
                destination: "5519900001111",
                params: { param1: "other_value1", param2: "other_value2" },
              },
              { destination: "5519900002222" },
            ],
            defaultValues: { params: { param1: "value1", param2: "value2" } },
            flowId: "14f8142d-e731-4971-8220-5a76a12c413f",
          },
        }),
        answer: json(bulkAnswerSchema, {
          sent: {
            id: "ce528d70-013b-11e7-98f2-e27c463c8809",
            messages: [
              { id: "ce528d71-013b-11e7-98f2-e27c463c8809" },
              { id: "ce528d72-013b-11e7-98f2-e27c463c8809" },
            ],
          },
        }),
        failures: [403, 413, 415],
      }),
    },
    "/v1/sms/status/search": {
      post: operation("wavySearchStatus", "Tells the status of messages", {
        requestBody: body(search, {
          both: {
            ids: ["918F3591-9AD6-11E7-9C9B-E255B01A8B1A", "234F3591-6AD6-11E7-9C9B-E255B01A8B1A"],
            correlationIds: ["2468"],
          },
        }),
        requestParams: { query: subAccountQuerySchema },
        answer: statusesFound,
        failures: [403, 413, 415],
      }),
    },
    "/v1/sms/status/list": {
      get: query("wavyListStatus", "Lists statuses that are new, each once", {
        requestParams: { query: subAccountQuerySchema },
        answer: statusesFound,
        failures: [403],
      }),
    },
    "/v1/sms-status": {
      get: query("wavyGetStatus", "Tells the status of one message", {
        requestParams: {
          query: z.object({ ...statusQuerySchema.shape, ...subAccountQuerySchema.shape }),
        },
        answer: json(status, { delivered: DELIVERED }),
        failures: [403, 404],
      }),
    },
    "/v1/sms/receive/list": {
      get: query("wavyListReceived", "Lists messages from phones that are new, each once", {
        requestParams: { query: subAccountQuerySchema },
        answer: json(mos, { found: MOS }),
        failures: [403],
      }),
    },
    "/v1/sms/receive/search": {
      get: query("wavySearchReceived", "Lists messages from phones of a period", {
        requestParams: {
          query: z.object({ ...periodQuerySchema.shape, ...subAccountQuerySchema.shape }),
        },
        answer: json(mos, { found: MOS }),
        failures: [403],
      }),
    },
  },
} satisfies Partial<ZodOpenApiObject>;
