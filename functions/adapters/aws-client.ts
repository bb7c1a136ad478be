/**
 * How every SDK client of ours connects. A connection that leads nowhere must not hold up a
 * request, or the rest of a batch, for longer than it takes to try again.
 */
export const awsClientConfig = {
  maxAttempts: 3,
  requestHandler: {
    connectionTimeout: 1_000,
    requestTimeout: 5_000,
    throwOnRequestTimeout: true,
  },
};

/** The same for who has to answer within a few seconds, and whose caller tries again. */
export const impatientClientConfig = {
  maxAttempts: 2,
  requestHandler: {
    connectionTimeout: 500,
    requestTimeout: 1_500,
    throwOnRequestTimeout: true,
  },
};
