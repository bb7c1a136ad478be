/** The request examples of the Wavy document for `/v1/send-sms`: the `curl` line, and a text as it is and with escapes ("codificação"). */
export const SEND_SMS_BODIES = [
  '{"destination": "5511900000000" , "messageText": "linha\\nquebrada"}',
  '{"destination": "5511900000000", "messageText": "A combinação foi perfeita :)"}',
  '{"destination": "5511900000000", "messageText": "A combina\\u00e7\\u00e3o foi perfeita :)"}',
] as const;

/** The query of "Via método GET", of which the document shows the beginning, with the credentials that it may carry (supplement, section 1). */
export const SEND_SMS_QUERY = {
  destination: "5511900000000",
  messageText: "A combinação foi perfeita :)",
  correlationId: "myId",
  timeWindow: "[11,12,18]",
  flashSMS: "true",
  username: "acme",
  authenticationToken: "secret",
} as const;

/** The body of the `curl` line for `/v1/send-bulk-sms`; the document forgets to escape its quotation marks. */
export const SEND_BULK_CURL_EXAMPLE = {
  messages: [
    { destination: "5519999999999", messageText: "First message" },
    { destination: "5519999999999" },
    { destination: "5519999999999" },
  ],
  defaultValues: { messageText: "Default message" },
} as const;

/** The request examples of "Exemplo de JSON para envio em Lote", by their number. */
export const SEND_BULK_EXAMPLES = {
  1: {
    messages: [
      { destination: "5519900001111", messageText: "First message" },
      { destination: "5519900002222" },
      { destination: "5519900003333" },
    ],
    defaultValues: { messageText: "Default message" },
  },
  2: {
    messages: [
      { destination: "5519900001111", messageText: "First message" },
      { destination: "5519900002222" },
    ],
    timeZone: "America/Sao_Paulo",
    scheduledDate: "2017-01-28T02:30:43",
    timeWindow: [12, 15, 20],
    defaultValues: { messageText: "Default message" },
  },
  3: {
    messages: [{ destination: "5519900001111" }, { destination: "5519900002222" }],
    defaultValues: { messageText: "Default message", flashSMS: "true" },
  },
  4: {
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
  /** The document has the name in the wrong quotation marks. */
  5: {
    messages: [
      {
        destination: "5519900001111",
        params: { param1: "other_value1", param2: "other_value2" },
      },
      { destination: "5519900002222" },
    ],
    defaultValues: { params: { param1: "value1", param2: "value2" } },
    templateId: 0,
    templateName: "name",
  },
} as const;

/** The request example of `/v1/sms/status/search`. */
export const SEARCH_EXAMPLE = {
  ids: ["918F3591-9AD6-11E7-9C9B-E255B01A8B1A", "234F3591-6AD6-11E7-9C9B-E255B01A8B1A"],
  correlationIds: ["2468"],
} as const;

/** The query of the older single look-up, `/v1/sms-status` (supplement, section 1). */
export const SMS_STATUS_QUERY = { id: "9cb87d36-79af-11e5-89f3-1b0591cdf807" } as const;

/** The queries of the document's examples of `/v1/sms/receive/list`. */
export const RECEIVE_LIST_QUERIES = [{}, { subAccount: "referencia_subconta" }] as const;

/** The queries of the document's examples of `/v1/sms/receive/search`. */
export const RECEIVE_SEARCH_QUERIES = [
  {},
  { subAccount: "referencia_subconta" },
  { start: "2016-09-12T00:00:00", end: "2016-09-15T00:00:00" },
  { start: "2016-09-12T00:00:00" },
  { end: "2016-09-15T00:00:00" },
  { subAccount: "iFoodMarketing" },
] as const;
