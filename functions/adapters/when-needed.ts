/**
 * Loads something when it is first asked for: code that most invocations do without is not read
 * when the function starts. What could not be loaded is tried again the next time.
 */
export function whenNeeded<T>(load: () => Promise<T>): () => Promise<T> {
  let loading: Promise<T> | undefined;
  return () => {
    loading ??= load().catch((error) => {
      loading = undefined;
      throw error;
    });
    return loading;
  };
}
