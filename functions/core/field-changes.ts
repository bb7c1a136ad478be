/** What is to become of the fields of a `T`: one that is not named stays, and null removes one. */
export type FieldChanges<T> = { readonly [Field in keyof T]?: T[Field] | null | undefined };

/** The fields as changed. Whether they make a `T` still is its schema's to say. */
export function applyChanges<T extends object>(found: T, changes: FieldChanges<T>): Partial<T> {
  const named = Object.entries(changes).filter(([, value]) => value !== undefined);
  const merged = Object.entries({ ...found, ...Object.fromEntries(named) });
  return Object.fromEntries(merged.filter(([, value]) => value !== null)) as Partial<T>;
}
