import { generateKeyPairSync, sign } from "node:crypto";

/** A certificate that signs itself, and its key; both in PEM. */
export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
}

const der = (tag: number, ...contents: Buffer[]): Buffer => {
  const content = Buffer.concat(contents);
  const { length } = content;
  const size = length < 0x80 ? [length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
};
const sequence = (...contents: Buffer[]) => der(0x30, ...contents);
const oid = (hex: string) => der(0x06, Buffer.from(hex, "hex"));
const time = (year: number) => der(0x18, Buffer.from(`${year}0101000000Z`));

const COMMON_NAME = oid("550403");
const SUBJECT_ALTERNATIVE_NAME = oid("551d11");
const ECDSA_WITH_SHA256 = sequence(oid("2a8648ce3d040302"));

/** Makes a certificate for a host name (RFC 5280), so that no key has to be kept with the tests. */
export function createCertificate(hostname: string): TestCertificate {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const name = sequence(
    der(0x31, sequence(COMMON_NAME, der(0x0c, Buffer.from("Torpedo's tests")))),
  );
  const alternativeName = sequence(
    SUBJECT_ALTERNATIVE_NAME,
    der(0x04, sequence(der(0x82, Buffer.from(hostname)))),
  );
  const toBeSigned = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1])),
    ECDSA_WITH_SHA256,
    name,
    sequence(time(2020), time(2200)),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    der(0xa3, sequence(alternativeName)),
  );
  const signature = sign("sha256", toBeSigned, privateKey);
  const certificate = sequence(
    toBeSigned,
    ECDSA_WITH_SHA256,
    der(0x03, Buffer.from([0]), signature),
  );
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${certificate.toString("base64")}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}
