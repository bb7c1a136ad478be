import { PinpointSMSVoiceV2Client } from "@aws-sdk/client-pinpoint-sms-voice-v2";
import { awsSmsClientConfig } from "../../functions/adapters/carriers/aws-sms/carrier.ts";
import { serve } from "./customer-server.ts";
import { CONTENT_TYPE, problemsOf, SEND_TEXT_MESSAGE } from "./sms-voice-contract.ts";

/** An answer of the service. */
export interface SmsVoiceAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What it says to a request that it takes. */
export const taken = (MessageId = "message-1"): SmsVoiceAnswer => ({
  status: 200,
  headers: { "content-type": CONTENT_TYPE },
  body: JSON.stringify({ MessageId }),
});

/** What it says with an exception, as the SDK has to find it in the body. */
export const refused = (
  exception: string,
  { status = 400, ...members }: { status?: number } & Record<string, unknown> = {},
): SmsVoiceAnswer => ({
  status,
  headers: { "content-type": CONTENT_TYPE },
  body: JSON.stringify({
    __type: `com.amazonaws.pinpointsmsvoicev2#${exception}`,
    Message: `${exception} of the number +5519900001111 and the text Hello`,
    ...members,
  }),
});

type Received = Awaited<ReturnType<typeof serve>>["received"][number];

/** What the model has against a request, as the service puts it. */
function objectionTo({ headers, body }: Received): SmsVoiceAnswer | undefined {
  if (headers["x-amz-target"] !== SEND_TEXT_MESSAGE || headers["content-type"] !== CONTENT_TYPE) {
    return refused("UnknownOperationException", { status: 404 });
  }
  if (!/^AWS4-HMAC-SHA256 .*\/sms-voice\/aws4_request/.test(headers.authorization ?? "")) {
    return refused("MissingAuthenticationTokenException", { status: 403 });
  }
  const problems = Object.entries(problemsOf(JSON.parse(body)));
  if (problems.length === 0) return undefined;
  const Fields = problems.map(([Name, Message]) => ({ Name, Message }));
  return refused("ValidationException", { Reason: "FIELD_VALIDATION_FAILED", Fields });
}

/**
 * AWS End User Messaging SMS on loopback, until the test ends: takes what its model allows, and
 * answers as it is told to.
 */
export async function serveSmsVoice(answer: () => SmsVoiceAnswer = taken) {
  const { received, connections, port } = await serve((response) => {
    const request = received.at(-1);
    const { status, headers, body } = (request && objectionTo(request)) ?? answer();
    response.writeHead(status, headers).end(body);
  });
  return { received, connections, client: clientOf(port) };
}

/**
 * The real client, made as the carrier makes it, towards a port of loopback.
 * @param requestHandler otherwise than the carrier does
 */
export const clientOf = (port: number, host = "127.0.0.1", requestHandler: object = {}) =>
  new PinpointSMSVoiceV2Client({
    ...awsSmsClientConfig,
    requestHandler: { ...awsSmsClientConfig.requestHandler, ...requestHandler },
    endpoint: `http://${host}:${port}`,
    region: "sa-east-1",
    credentials: { accessKeyId: "test", secretAccessKey: "test" },
  });
