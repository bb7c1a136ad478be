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
