import * as z from "zod";
import type {
  ZodOpenApiObject,
  ZodOpenApiOperationObject,
  ZodOpenApiPathsObject,
  ZodOpenApiResponseObject,
} from "zod-openapi";
import { MESAGO_DETAIL, MESAGO_STATUS } from "../core/codes.ts";
import { MAX_BATCH_SIZE } from "../core/send-batch.ts";
import { MESAGO, type Naming, ZENVIA } from "./naming.ts";
import { FIELDS_FOR_ALL, smsSchema } from "./schema.ts";

const { shape } = smsSchema;

/** The fields of a message under Mesago's names, as their reader needs them described. */
const FIELDS = {
  destination: shape.destination.meta({
    description: "The phone's number, with country code.",
    examples: ["5519900001111"],
  }),
  messageText: shape.messageText.meta({
    description:
      "The text. More than one part only where the account is enabled for long messages.",
    examples: ["Hello, I am a message"],
  }),
  from: shape.from.meta({
    description:
      "A sender label, put in front of the text as `from: text`; counts towards its length.",
  }),
  correlationId: shape.correlationId.meta({
    description:
      "The client's id of the message: what its status is asked by. A second message with the same id is refused (080).",
    examples: ["myId"],
  }),
  callbackOption: shape.callbackOption.meta({
    description: "Which statuses are told by callback: all, the final one, or none.",
  }),
  extraInfo: shape.extraInfo.meta({
    description: "Aggregator (cost centre, campaign) of the message.",
  }),
  flashSMS: shape.flashSMS.meta({
    description: "Whether the text pops up instead of being stored.",
  }),
  timeWindow: shape.timeWindow.meta({
    description:
      "The hours of the day, each from hh:00 to hh:59, in which the message may be sent.",
    override: {
      type: "array",
      items: { type: "integer", minimum: 0, maximum: 23 },
      minItems: 1,
      examples: [[11, 12, 18, 19, 20, 21]],
    },
  }),
  timeZone: shape.timeZone.meta({
    description:
      "The zone of dates without offset and of the time window: IANA name, `UTC` or offset.",
    examples: ["America/Sao_Paulo"],
  }),
  scheduledDate: shape.scheduledDate.meta({
    description:
      "When to send it: ISO 8601 with time, with or without offset. Empty or null is now.",
    override: { type: ["string", "null"], examples: ["2016-06-08T10:00:00"] },
  }),
  expiresDate: shape.expiresDate.meta({
    description: "After this moment it is not sent any more: ISO 8601 with time.",
    override: { type: ["string", "null"], examples: ["2016-06-10T21:00:00"] },
  }),
} satisfies Record<keyof typeof shape, z.ZodType>;
type Field = keyof typeof FIELDS;
const ALL_FIELDS = Object.keys(FIELDS) as Field[];

/** What the dialect calls a field of Mesago's. */
function nameOf(field: string, { dialect, aliases }: Naming): string {
  if (dialect === "mesago") return field;
  return Object.keys(aliases).find((alias) => aliases[alias] === field) ?? field;
}

const named = (naming: Naming, fields: readonly Field[]) => ({
  ...Object.fromEntries(fields.map((field) => [nameOf(field, naming), FIELDS[field]])),
  scheduleDate: FIELDS.scheduledDate.meta({
    description: `Another spelling of \`${nameOf("scheduledDate", naming)}\`.`,
  }),
});

/** Without these a message is refused (010, 014): as the document has it, and not by the parser. */
const required = (...names: string[]) => ({
  override: ({ jsonSchema }: { jsonSchema: { required?: string[] } }) => {
    jsonSchema.required = names;
  },
});

const quoted = (codes: object) =>
  Object.entries(codes)
    .sort()
    .map(([code, words]) => `\`${code}\` ${words}`)
    .join("; ");

const status = z.enum(Object.keys(MESAGO_STATUS).sort() as [string, ...string[]]).meta({
  id: "MesagoStatusCode",
  description: quoted(MESAGO_STATUS),
});
const detail = z.enum(Object.keys(MESAGO_DETAIL).sort() as [string, ...string[]]).meta({
  id: "MesagoDetailCode",
  description: quoted(MESAGO_DETAIL),
});

/** The four fields that every answer has. */
const codes = z.object({
  statusCode: status,
  statusDescription: z.string(),
  detailCode: detail,
  detailDescription: z.string(),
});
const refusal = codes
  .extend({
    hint: z.string().optional().meta({ description: "For who writes the client." }),
    sendSmsResponseList: z
      .array(z.never())
      .max(0)
      .optional()
      .meta({
        description: "For clients that look for the list of answers; there are none.",
        override: { type: "array", maxItems: 0, items: {} },
      }),
  })
  .meta({ id: "MesagoRefusal", description: "Why a request was refused as a whole." });
const sendResult = codes
  .extend({
    id: z.string().optional().meta({ description: "Ours, where the request chose none (Mesago)." }),
    parts: z
      .array(z.object({ partId: z.string(), order: z.number().int().positive() }))
      .optional()
      .meta({ description: "The parts of a long message." }),
  })
  .meta({ id: "MesagoSendResult", description: "What became of one message of a request." });
const statusResult = codes
  .extend({
    id: z.string().optional(),
    received: z.string().optional().meta({
      description: "Since when this is its status, in the account's time zone.",
    }),
    shortcode: z.union([z.number().int(), z.string()]).optional(),
    mobileOperatorName: z.string().optional(),
  })
  .meta({ id: "MesagoStatus", description: "The status of a message." });
const cancelResult = codes.meta({ id: "MesagoCancelResult", description: "What became of it." });

const mo = z.object({
  id: z.number().int(),
  dateReceived: z.string(),
  mobile: z.string(),
  shortcode: z.string(),
  mobileOperatorName: z.string().optional().meta({
    description: "Only for accounts that are enabled for it.",
  }),
  body: z.string().meta({ description: "The text." }),
  correlationId: z.string().optional().meta({ description: "The id of the message it answers." }),
  correlatedMessageSmsId: z.string().optional().meta({ description: "The same." }),
});
const MOS = {
  mesago: mo.meta({ id: "MesagoMo", description: "A message from a phone." }),
  zenvia: mo
    .extend({
      mtId: z.string().optional().meta({ description: "The id of the message it answers." }),
    })
    .meta({ id: "ZenviaMo", description: "A message from a phone." }),
};

const OK = {
  statusCode: "00",
  statusDescription: "Ok",
  detailCode: "000",
  detailDescription: "Message Sent",
};

interface Examples {
  readonly [name: string]: { readonly value: unknown };
}
const examples = (values: Readonly<Record<string, unknown>>): Examples =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { value }]));

const json = (schema: z.ZodType, values: Readonly<Record<string, unknown>> = {}) => ({
  "application/json": {
    schema,
    ...(Object.keys(values).length > 0 && { examples: examples(values) }),
  },
});

const SECURITY = "basic";

/** What can be wrong with any request, by HTTP status: in words, and the code that says so. */
const FAILURES = {
  "400": ["The request as a whole cannot be read.", "172"],
  "401": ["Nobody's credentials.", "900"],
  "413": ["The body is too large.", "170"],
  "415": ["The body is not JSON.", "170"],
  "500": ["An error of ours.", "999"],
  "503": ["Nothing was accepted; to be tried again.", "999"],
} as const;

const ENVELOPES = [
  "sendSmsResponse",
  "sendSmsMultiResponse",
  "getSmsStatusResp",
  "cancelSmsResp",
  "receivedResponse",
] as const;

/** The answers to what fails, in each envelope; the same ones wherever the document refers to them. */
const FAILURES_IN = new Map(
  ENVELOPES.map((envelope) => [
    envelope,
    Object.entries(FAILURES).map(([status, [description, detailCode]]) => {
      const answer = {
        statusCode: "10",
        statusDescription: MESAGO_STATUS["10"],
        detailCode,
        detailDescription: MESAGO_DETAIL[detailCode],
      };
      const content = json(z.object({ [envelope]: refusal }), { answer: { [envelope]: answer } });
      const response: ZodOpenApiResponseObject = {
        id: `${envelope}${status}`,
        description,
        content,
      };
      return [status, response] as const;
    }),
  ]),
);

/** What an operation answers where it does not come to do anything. */
function failures(
  envelope: (typeof ENVELOPES)[number],
  ...ofBody: readonly ("400" | "413" | "415")[]
) {
  const statuses: readonly string[] = [...ofBody, "401", "500", "503"];
  const all = FAILURES_IN.get(envelope) ?? [];
  return Object.fromEntries(all.filter(([status]) => statuses.includes(status)));
}

const version = z.literal("1.0").optional().meta({ description: "There is no other." });

const PHONES = ["5519900001111", "5519900002222"] as const;

/** The document's examples, in the words of the dialect. */
function requestExamples(naming: Naming) {
  const words = (fields: Readonly<Record<string, unknown>>) =>
    Object.fromEntries(
      Object.entries(fields).map(([field, value]) => [nameOf(field, naming), value]),
    );
  const simple = { destination: PHONES[0], messageText: "Hello, I am a simple message" };
  const scheduled = {
    destination: PHONES[0],
    messageText: "Hello, I am a message",
    correlationId: "myId",
    extraInfo: '{"name": "Bob"}',
    timeWindow: [11, 12, 18, 19, 20, 21],
    expiresDate: "2016-06-10T21:00:00",
    scheduledDate: "2016-06-08T10:00:00",
    timeZone: "America/Sao_Paulo",
  };
  const flash = {
    destination: PHONES[0],
    messageText: "Hello, I am a message",
    correlationId: "myId",
    flashSMS: "true",
  };
  const many = {
    [nameOf("messages", naming)]: [
      words({ destination: PHONES[0], messageText: "First message" }),
      words({ destination: PHONES[1] }),
    ],
    ...words({ scheduledDate: "2017-01-28T02:30:43", timeZone: "America/Sao_Paulo" }),
    timeWindow: [12, 15, 20],
    defaultValues: words({ messageText: "Default message" }),
  };
  return {
    one: Object.fromEntries(
      Object.entries({ simple, scheduled, flash }).map(([name, fields]) => [
        name,
        { sendSmsRequest: words(fields) },
      ]),
    ),
    many: { defaults: { sendSmsMultiRequest: many } },
  };
}

function pathsOf(naming: Naming): ZodOpenApiPathsObject {
  const { base, beforeId, dialect } = naming;
  const mesago = dialect === "mesago";
  const prefix = mesago ? "Mesago" : "Zenvia";
  const operation = (
    operationId: string,
    summary: string,
    more: Pick<ZodOpenApiOperationObject, "requestBody" | "responses"> & {
      readonly path?: z.ZodObject;
      readonly query?: z.ZodObject;
    },
  ): ZodOpenApiOperationObject => {
    const { path, query, ...rest } = more;
    return {
      operationId: `${dialect}${operationId}`,
      summary,
      tags: [mesago ? "Mesago" : "Zenvia classic"],
      security: [{ [SECURITY]: [] }],
      requestParams: { ...(path && { path }), query: z.object({ ...query?.shape, version }) },
      ...rest,
    };
  };

  const sms = z.object(named(naming, ALL_FIELDS));
  const [destination, messageText] = ["destination", "messageText"].map((it) => nameOf(it, naming));
  const one = sms.meta({
    id: `${prefix}Sms`,
    description: "A message to a phone.",
    ...required(String(destination), String(messageText)),
  });
  const element = sms.meta({
    id: `${prefix}SmsOfMany`,
    description: "A message, or what fills in for fields that messages leave out.",
  });
  const many = z
    .object({
      [nameOf("messages", naming)]: z.array(element).min(1).max(MAX_BATCH_SIZE),
      defaultValues: element.optional(),
      ...named(naming, FIELDS_FOR_ALL),
    })
    .meta({
      id: `${prefix}SmsList`,
      description: "Up to 1,000 messages, and fields for all of them.",
    });
  const sent = z.object({ sendSmsResponse: sendResult });
  const sentMany = z.object({
    sendSmsMultiResponse: z.object({
      sendSmsResponseList: z
        .array(sendResult)
        .meta({ description: "In the order of the request." }),
    }),
  });
  const sentOne: ZodOpenApiOperationObject["responses"] = {
    "200": {
      description: "Refused, for the reason that the codes name.",
      content: json(sent, {
        refused: {
          sendSmsResponse: {
            statusCode: "10",
            statusDescription: "Error",
            detailCode: "080",
            detailDescription: "Message with same ID already sent",
          },
        },
      }),
    },
    "201": {
      description: "Accepted: the message will come to a final status.",
      content: json(sent, {
        short: { sendSmsResponse: OK },
        long: {
          sendSmsResponse: {
            ...OK,
            parts: [1, 2].map((n) => ({ partId: `myId_00${n}`, order: n })),
          },
        },
      }),
    },
  };
  const sentAll = (description: string) => ({
    description,
    content: json(sentMany, {
      answer: { sendSmsMultiResponse: { sendSmsResponseList: [OK, OK] } },
    }),
  });
  const received = z.object({
    receivedResponse: codes.extend({
      receivedMessages: z.array(MOS[mesago ? "mesago" : "zenvia"]),
    }),
  });
  const receivedOk: ZodOpenApiResponseObject = {
    description: "Those that there are; 301 where there are none.",
    content: json(received, {
      found: {
        receivedResponse: {
          statusCode: "00",
          statusDescription: "Ok",
          detailCode: "300",
          detailDescription: "Received messages found",
          receivedMessages: [
            {
              id: 23190501,
              dateReceived: "2014-08-22T14:49:36",
              mobile: "5511991070316",
              shortcode: "30133",
              mobileOperatorName: "Claro",
              body: "Sim",
              correlationId: "hs863223748",
              correlatedMessageSmsId: "hs863223748",
              ...(!mesago && { mtId: "hs863223748" }),
            },
          ],
        },
      },
    }),
  };
  const path = z.object({
    id: z.string().meta({ description: "The message's id, or that of one of its parts." }),
  });
  const query = z.object({
    ...named(naming, ALL_FIELDS),
    timeWindow: z
      .string()
      .optional()
      .meta({
        description: "Hours of the day, separated by commas.",
        examples: ["11,12,18"],
      }),
  });
  const asked = requestExamples(naming);

  return {
    [`${base}/send-sms`]: {
      post: operation("SendSms", "Sends one message", {
        requestBody: {
          required: true,
          content: json(z.object({ sendSmsRequest: one }), asked.one),
        },
        responses: { ...sentOne, ...failures("sendSmsResponse", "400", "413", "415") },
      }),
      get: operation("SendSmsByQuery", "Sends one message, its fields in the query", {
        query,
        responses: { ...sentOne, ...failures("sendSmsResponse", "400") },
      }),
    },
    [`${base}/send-sms-multiple`]: {
      post: operation("SendSmsMultiple", "Sends up to 1,000 messages", {
        requestBody: {
          required: true,
          content: json(z.object({ sendSmsMultiRequest: many }), asked.many),
        },
        responses: {
          "200": sentAll("None was accepted."),
          "201": sentAll("An answer for each message; some were accepted."),
          ...failures("sendSmsMultiResponse", "400", "413", "415"),
        },
      }),
    },
    [`${base}/get-sms-status${beforeId}/{id}`]: {
      get: operation("GetSmsStatus", "Tells the status of a message", {
        path,
        responses: {
          "200": {
            description: "Its status; 180 where there is no such message.",
            content: json(z.object({ getSmsStatusResp: statusResult }), {
              delivered: {
                getSmsStatusResp: {
                  id: "006",
                  received: "2014-08-23T02:01:23",
                  shortcode: 69788,
                  mobileOperatorName: "claro",
                  statusCode: "03",
                  statusDescription: "Delivered",
                  detailCode: "120",
                  detailDescription: "Message received by mobile",
                },
              },
            }),
          },
          ...failures("getSmsStatusResp", "400"),
        },
      }),
    },
    [`${base}/cancel-sms${beforeId}/{id}`]: {
      post: operation("CancelSms", "Cancels a scheduled message", {
        path,
        responses: {
          "200": {
            description: "Whether it is cancelled, or why not.",
            content: json(z.object({ cancelSmsResp: cancelResult }), {
              canceled: {
                cancelSmsResp: {
                  statusCode: "09",
                  statusDescription: "Blocked",
                  detailCode: "002",
                  detailDescription: "Message successfully canceled",
                },
              },
            }),
          },
          ...failures("cancelSmsResp", "400"),
        },
      }),
    },
    [`${base}/received/list`]: {
      post: operation("ReceivedList", "Lists messages from phones that are new, each once", {
        responses: { "200": receivedOk, ...failures("receivedResponse", "400") },
      }),
    },
    [`${base}/received/search/{startDate}/{endDate}`]: {
      get: operation("ReceivedSearch", "Lists messages from phones of a period", {
        path: z.object({
          startDate: z.string().meta({ examples: ["2014-08-22T00:00:00"] }),
          endDate: z.string().meta({ examples: ["2014-08-22T23:59:59"] }),
        }),
        query: z.object({
          mobile: z.string().optional().meta({ description: "Only those of this phone." }),
          mtId: z.string().optional().meta({ description: "Only answers to this message." }),
        }),
        responses: { "200": receivedOk, ...failures("receivedResponse", "400") },
      }),
    },
  };
}

const xml = (description: string): ZodOpenApiResponseObject => ({
  description,
  content: { "text/xml": { schema: z.string() } },
});

const SOAP: ZodOpenApiPathsObject = {
  "/api/soap": {
    get: {
      operationId: "mesagoWsdl",
      summary: "Describes the same operations as a SOAP 1.1 service",
      tags: ["Mesago"],
      security: [],
      requestParams: { query: z.object({ wsdl: z.string().meta({ examples: [""] }) }) },
      responses: { "200": xml("The WSDL."), "405": xml("A fault: `wsdl` is not in the query.") },
    },
    post: {
      operationId: "mesagoSoap",
      summary: "Runs one of the operations, by SOAP 1.1",
      tags: ["Mesago"],
      security: [{ [SECURITY]: [] }],
      requestBody: { required: true, content: { "text/xml": { schema: z.string() } } },
      responses: {
        "200": xml("The operation's answer."),
        "400": xml("A fault: the request cannot be read."),
        "401": xml("A fault: nobody's credentials."),
        "413": xml("A fault: the body is too large."),
        "500": xml("A fault: an error of ours."),
        "503": xml("A fault: nothing was accepted; to be tried again."),
      },
    },
  },
};

/** The Mesago API and its ancestor, for the OpenAPI document. */
export const description = {
  tags: [
    { name: "Mesago", description: "Mesago's SMS API." },
    { name: "Zenvia classic", description: "The API that Mesago's descends from." },
  ],
  components: {
    securitySchemes: {
      [SECURITY]: {
        type: "http",
        scheme: "basic",
        description: "The account's name and password.",
      },
    },
  },
  paths: { ...pathsOf(MESAGO), ...SOAP, ...pathsOf(ZENVIA) },
} satisfies Partial<ZodOpenApiObject>;
