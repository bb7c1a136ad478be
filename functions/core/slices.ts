/** The items in their order, in groups of at most `size`. */
export function slicesOf<T>(items: readonly T[], size: number): T[][] {
  const slices: T[][] = [];
  for (let start = 0; start < items.length; start += size) {
    slices.push(items.slice(start, start + size));
  }
  return slices;
}

/**
 * The items in their order, in groups of at most `count` that together are no larger than `size`;
 * an item that is larger by itself is a group by itself.
 */
export function slicesWithin<T>(
  items: readonly T[],
  { count, size }: { readonly count: number; readonly size: number },
  sizeOf: (item: T) => number,
): T[][] {
  const slices: T[][] = [];
  let room = 0;
  for (const item of items) {
    const last = slices.at(-1);
    const itsSize = sizeOf(item);
    room -= itsSize;
    if (last && room >= 0 && last.length < count) {
      last.push(item);
      continue;
    }
    slices.push([item]);
    room = size - itsSize;
  }
  return slices;
}
