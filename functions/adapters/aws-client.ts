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
