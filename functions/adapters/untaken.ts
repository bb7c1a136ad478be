/**
 * Makes a request for each slice, side by side.
 *
 * @param send answers what of its slice was not taken
 * @returns what was not taken; of a slice whose request failed, all
 * @throws the first failure, where every request failed
 */
export async function untakenOf<T>(
  slices: readonly (readonly T[])[],
  send: (slice: readonly T[]) => Promise<readonly T[]>,
): Promise<T[]> {
  const results = await Promise.allSettled(slices.map(send));
  const failures = results.filter((result) => result.status === "rejected");
  if (failures.length > 0 && failures.length === slices.length) throw failures[0]?.reason;
  return results.flatMap((result, index) =>
    result.status === "fulfilled" ? result.value : (slices[index] ?? []),
  );
}
