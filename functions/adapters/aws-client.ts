import type { SQSClientConfig } from "@aws-sdk/client-sqs";

type Logger = NonNullable<SQSClientConfig["logger"]>;

const ignore = () => {};

/**
 * A logger that wants to hear of no request: for one that does, and the SDK's own that writes nothing
 * is one, all that is sent and received is copied without what is sensitive.
 */
const quietLogger = { trace: ignore, debug: ignore, warn: ignore } as unknown as Logger;

/**
 * How every SDK client of ours connects. A connection that leads nowhere must not hold up a
 * request, or the rest of a batch, for longer than it takes to try again.
 */
export const awsClientConfig = {
  logger: quietLogger,
  maxAttempts: 3,
  requestHandler: {
    connectionTimeout: 1_000,
    requestTimeout: 5_000,
    throwOnRequestTimeout: true,
  },
};

/** The same for who has to answer within a few seconds, and whose caller tries again. */
export const impatientClientConfig = {
  logger: quietLogger,
  maxAttempts: 2,
  requestHandler: {
    connectionTimeout: 500,
    requestTimeout: 1_500,
    throwOnRequestTimeout: true,
  },
};
