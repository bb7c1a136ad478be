import { EMULATOR_CREDENTIALS } from "../aws-target.ts";

/** What a client of the AWS SDK needs to reach an emulator. */
export interface AwsConnection {
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** The account that emulators give to credentials such as ours. */
export const LOCAL_ACCOUNT_ID = "000000000000";
const REGION = "us-east-1";

/**
 * How to reach an emulator: fixed region and dummy credentials, whatever the developer's own are.
 *
 * @param endpointUrl such as `http://127.0.0.1:4566`
 */
export function localAws(endpointUrl: string): AwsConnection {
  return {
    endpoint: endpointUrl,
    region: REGION,
    credentials: EMULATOR_CREDENTIALS,
  };
}

/**
 * The environment of a program that shall work against an emulator and can reach nothing else: of
 * the developer's own AWS settings none is left, neither variables nor configuration files.
 *
 * @param from the environment that we run in ourselves
 */
export function environmentFor(aws: AwsConnection, from: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const own = Object.entries(from).filter(([name]) => !name.startsWith("AWS_"));
  return {
    ...Object.fromEntries(own),
    AWS_ENDPOINT_URL: aws.endpoint,
    AWS_REGION: aws.region,
    AWS_ACCESS_KEY_ID: aws.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: aws.credentials.secretAccessKey,
    // Some versions of the CDK CLI only look at this one before they address a bucket by path.
    AWS_ENDPOINT_URL_S3: aws.endpoint,
    AWS_DEFAULT_REGION: aws.region,
    AWS_CONFIG_FILE: "/dev/null",
    AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: "true",
    NO_PROXY: withoutProxyForLoopback(from),
    no_proxy: withoutProxyForLoopback(from),
  };
}

/** The hosts to be reached without a proxy, the emulator among them. */
export function withoutProxyForLoopback(from: NodeJS.ProcessEnv): string {
  return [from.NO_PROXY ?? from.no_proxy, "127.0.0.1", "localhost"].filter(Boolean).join(",");
}
