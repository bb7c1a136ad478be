import { generateKeyPairSync, sign } from "node:crypto";

/** The topic of the samples. */
export const TOPIC = "arn:aws:sns:sa-east-1:111122223333:torpedo-prod-aws";
const HOST = "https://sns.sa-east-1.amazonaws.com";
export const CERTIFICATE_URL = `${HOST}/SimpleNotificationService-0123456789abcdef0123456789abcdef.pem`;
export const SUBSCRIBE_URL = `${HOST}/?Action=ConfirmSubscription&TopicArn=${TOPIC}&Token=token-1`;

const der = (tag: number, ...contents: Buffer[]): Buffer => {
  const content = Buffer.concat(contents);
  const { length } = content;
  const size = length < 0x80 ? [length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
};
const sequence = (...contents: Buffer[]) => der(0x30, ...contents);
const SHA256_WITH_RSA = sequence(
  der(0x06, Buffer.from("2a864886f70d01010b", "hex")),
  Buffer.from([5, 0]),
);

/** A certificate as SNS has, which signs itself, and its key; made anew with every run. */
export function createSnsCertificate() {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const name = sequence(
    der(
      0x31,
      sequence(
        der(0x06, Buffer.from("550403", "hex")),
        der(0x0c, Buffer.from("sns.amazonaws.com")),
      ),
    ),
  );
  const time = (year: number) => der(0x18, Buffer.from(`${year}0101000000Z`));
  const toBeSigned = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1])),
    SHA256_WITH_RSA,
    name,
    sequence(time(2020), time(2200)),
    name,
    publicKey.export({ type: "spki", format: "der" }),
  );
  const signature = der(0x03, Buffer.from([0]), sign("RSA-SHA256", toBeSigned, privateKey));
  const certificate = sequence(toBeSigned, SHA256_WITH_RSA, signature).toString("base64");
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${certificate}\n-----END CERTIFICATE-----\n`,
    privateKey,
  };
}

type Fields = Record<string, unknown>;

/** What SNS puts around a message. */
export const notification = (message: unknown, overrides: Fields = {}): Fields => ({
  Type: "Notification",
  MessageId: "6b6f7f7c-0000-5000-8000-000000000000",
  TopicArn: TOPIC,
  Message: typeof message === "string" ? message : JSON.stringify(message),
  Timestamp: "2026-03-02T15:00:00.123Z",
  SignatureVersion: "1",
  Signature: "",
  SigningCertURL: CERTIFICATE_URL,
  UnsubscribeURL: `${HOST}/?Action=Unsubscribe&SubscriptionArn=${TOPIC}:1`,
  ...overrides,
});

/** What SNS sends to who has been subscribed, or is no more. */
export const confirmation = (overrides: Fields = {}): Fields => {
  const { UnsubscribeURL: _, ...fields } = notification("You have chosen to subscribe.", {
    Type: "SubscriptionConfirmation",
    Token: "token-1",
    SubscribeURL: SUBSCRIBE_URL,
    ...overrides,
  });
  return fields;
};

/** What SNS signs, in the words of its documentation: name and value of each field, by name, in lines. */
const NOT_SIGNED = ["Signature", "SignatureVersion", "SigningCertURL", "UnsubscribeURL"];

/** An envelope with the signature that SNS would give it. */
export function signed(
  envelope: Fields,
  privateKey: ReturnType<typeof createSnsCertificate>["privateKey"],
): Fields {
  const text = Object.keys(envelope)
    .filter((field) => !NOT_SIGNED.includes(field))
    .sort()
    .map((field) => `${field}\n${envelope[field]}\n`)
    .join("");
  const digest = envelope.SignatureVersion === "2" ? "RSA-SHA256" : "RSA-SHA1";
  return { ...envelope, Signature: sign(digest, Buffer.from(text), privateKey).toString("base64") };
}
