const secretOf = (carrier: string) =>
  `arn:aws:secretsmanager:sa-east-1:111122223333:secret:torpedo/${carrier}-AbCdEf`;

/** The secrets of the carriers below that have one. */
export const SECRETS = { vivo: secretOf("vivo"), claro: secretOf("claro") };

/** The topic of the carrier below that reports to one that is not ours. */
export const TOPIC_ELSEWHERE = "arn:aws:sns:us-east-1:111122223333:texts";

/** Carriers of every kind, in every way that makes a difference to the stack. */
export const CARRIERS = {
  sandbox: { kind: "sandbox" },
  "sandbox-2": { kind: "sandbox", down: true },
  vivo: {
    kind: "kannel",
    url: "http://10.0.1.7:13013/cgi-bin/sendsms",
    secret: SECRETS.vivo,
    senders: ["27182", "28459"],
  },
  claro: {
    kind: "kannel",
    url: "https://kannel.example.org/cgi-bin/sendsms",
    secret: SECRETS.claro,
    maxPerSecond: 50,
  },
  "aws.br": { kind: "aws-sms", twoWay: ["phone-1", "pool-1"], senders: ["27182", "ACME"] },
  "aws-any": { kind: "aws-sms", demotion: { receiptsAfterSeconds: 300 } },
  "aws-us": {
    kind: "aws-sms",
    elsewhere: {
      region: "us-east-1",
      configurationSet: "texts",
      topicArn: TOPIC_ELSEWHERE,
    },
    twoWay: ["phone-2"],
  },
};

/** The production stage with those carriers, as the context's `stages` would have it. */
export const EVERY_CARRIER = {
  prod: {
    carriers: CARRIERS,
    routes: [
      { country: "BR", operator: "Vivo", carrier: "vivo" },
      { country: "US", carrier: "aws-us" },
      { share: 70, carrier: "aws.br" },
      { carrier: "sandbox" },
    ],
    operatorMemoryDays: 30,
  },
};
