/**
 * SendTextMessage as the service model has it (pinpoint-sms-voice-v2, 2022-03-31): what the fake
 * service of `sms-voice-server.ts` takes. Written down here so that an SDK that puts something else
 * on the wire, or an adapter that asks for what the service refuses, fails a test.
 */

/** The operation, as the protocol names it (AWS JSON 1.0). */
export const SEND_TEXT_MESSAGE = "PinpointSMSVoiceV2.SendTextMessage";
export const CONTENT_TYPE = "application/x-amz-json-1.0";

type Problem = string | undefined;
type Rule = (value: unknown) => Problem;

/** Lengths are of Unicode characters, as the model counts them. */
const text =
  (min: number, max: number, pattern: RegExp): Rule =>
  (value) => {
    if (typeof value !== "string") return "must be a string";
    const { length } = [...value];
    if (length < min || length > max) return `must have length between ${min} and ${max}`;
    return pattern.test(value) ? undefined : `must satisfy regular expression pattern: ${pattern}`;
  };
const oneOf =
  (...values: string[]): Rule =>
  (value) =>
    values.includes(String(value)) ? undefined : `must be one of ${values.join(", ")}`;
const whole =
  (min: number, max: number): Rule =>
  (value) =>
    Number.isInteger(value) && Number(value) >= min && Number(value) <= max
      ? undefined
      : `must be between ${min} and ${max}`;

const contextKey = text(1, 100, /^\S+$/);
const contextValue = text(1, 800, /^(?!\s)[\s\S]+(?<!\s)$/);

function contextMap(value: unknown): Problem {
  const entries = Object.entries(value as Record<string, unknown>);
  if (entries.length > 5) return "must have at most 5 entries";
  return entries.map(([key, it]) => contextKey(key) ?? contextValue(it)).find(Boolean);
}

/** The members that we use. */
const MEMBERS: Readonly<Record<string, Rule>> = {
  DestinationPhoneNumber: text(1, 20, /^\+?[1-9][0-9]{1,18}$/),
  OriginationIdentity: text(1, 256, /^[A-Za-z0-9_:/+-]+$/),
  MessageBody: text(1, 1_600, /^(?!\s*$)[\s\S]+$/),
  MessageType: oneOf("TRANSACTIONAL", "PROMOTIONAL"),
  ConfigurationSetName: text(1, 256, /^[A-Za-z0-9_:/-]+$/),
  MaxPrice: text(2, 8, /^[0-9]{0,2}\.[0-9]{1,5}$/),
  TimeToLive: whole(5, 259_200),
  Context: contextMap,
  ProtectConfigurationId: text(1, 256, /^[A-Za-z0-9_:/-]+$/),
};
const REQUIRED = ["DestinationPhoneNumber"];

/** In how far a request breaks the model, by member. */
export function problemsOf(request: Readonly<Record<string, unknown>>): Record<string, string> {
  const missing = REQUIRED.filter((name) => !(name in request)).map((name) => [name, "is missing"]);
  const wrong = Object.entries(request).map(([name, value]) => [
    name,
    MEMBERS[name] ? MEMBERS[name](value) : "is no member that we use",
  ]);
  return Object.fromEntries([...missing, ...wrong].filter(([, problem]) => problem));
}
