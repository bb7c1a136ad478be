/** The request examples of the Mesago document ("Envio de um único SMS"), by their number. */
export const SEND_SMS_EXAMPLES = {
  1: {
    sendSmsRequest: {
      destination: "5519900001111",
      messageText: "Hello, I am a simple message",
    },
  },
  2: {
    sendSmsRequest: {
      destination: "5519900001111",
      messageText: "Hello, I am a message",
      correlationId: "myId",
      extraInfo: '{"name": "Bob"}',
      timeWindow: [11, 12, 18, 19, 20, 21],
    },
  },
  3: {
    sendSmsRequest: {
      destination: "5519900001111",
      messageText: "Hello, I am a message",
      correlationId: "myId",
      extraInfo: '{"name": "Bob"}',
      timeWindow: [11, 12, 18, 19, 20, 21],
      expiresDate: "2016-06-10T21:00:00",
      scheduledDate: "2016-06-08T10:00:00",
      timeZone: "America/Sao_Paulo",
    },
  },
  4: {
    sendSmsRequest: {
      destination: "5519900001111",
      messageText: "Hello, I am a message",
      correlationId: "myId",
      flashSMS: "true",
    },
  },
} as const;

/** The document's long text ("Mensagens longas"): three parts. */
const LONG_TEXT =
  "Lorem ipsum dolor sit amet, consectetur adipiscing elit. Ut blandit neque consectetur, faucibus tortor varius, posuere enim. Cras tincidunt lectus eget pulvinar consectetur. Suspendisse in nibh elit. Ut non pharetra risus, nec aliquet lectus. Sed convallis mauris vitae lectus consequat, non mollis nibh hendrerit. Ut tristique commodo ligula eu bibendum. Quisque vestibulum quis nisi id ultrices.";

/** The document's example of a long message. */
export const LONG_SMS_EXAMPLE = {
  sendSmsRequest: {
    destination: "5519900001111",
    messageText: LONG_TEXT,
    correlationId: "myId",
    callbackOption: "NONE",
    extraInfo: '{"name": "Bob"}',
    timeWindow: [11, 12, 18, 19, 20, 21],
  },
} as const;

/** The request examples of "Envio de vários SMSs simultaneamente", by their number; the long one and the one with ids have none. */
export const SEND_SMS_MULTIPLE_EXAMPLES = {
  1: {
    sendSmsMultiRequest: {
      messages: [
        { destination: "5519900001111", messageText: "First message" },
        { destination: "5519900002222" },
        { destination: "5519900003333" },
      ],
      defaultValues: { messageText: "Default message" },
    },
  },
  2: {
    sendSmsMultiRequest: {
      messages: [
        { destination: "5519900001111", messageText: "First message" },
        { destination: "5519900002222" },
      ],
      timeZone: "America/Sao_Paulo",
      scheduleDate: "2017-01-28T02:30:43",
      timeWindow: [12, 15, 20],
      defaultValues: { messageText: "Default message" },
    },
  },
  3: {
    sendSmsMultiRequest: {
      messages: [{ destination: "5519900001111" }, { destination: "5519900002222" }],
      defaultValues: { messageText: "Default message", flashSMS: "true" },
    },
  },
  long: {
    sendSmsMultiRequest: {
      messages: [{ destination: "5519900001111" }, { destination: "5519900002222" }],
      defaultValues: { messageText: LONG_TEXT, flashSMS: "true" },
    },
  },
  withIds: {
    sendSmsMultiRequest: {
      messages: [
        { destination: "5519900001111", correlationId: "0001" },
        { destination: "5519900002222", correlationId: "0002" },
      ],
      defaultValues: { messageText: "Default message", flashSMS: "true" },
    },
  },
} as const;
