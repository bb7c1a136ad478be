/** A key: the partition's attribute and, where there is one, that of the sort key. */
export interface KeyNames {
  readonly hash: string;
  readonly sort: string | undefined;
}

type KeySchema = readonly { readonly AttributeName: string; readonly KeyType: string }[];

interface Projection {
  readonly ProjectionType?: string;
  readonly NonKeyAttributes?: readonly string[];
}

/** A table as CloudFormation, and CreateTable, define it; what else they say is of no interest. */
export interface TableDefinition {
  readonly AttributeDefinitions: readonly {
    readonly AttributeName: string;
    readonly AttributeType: string;
  }[];
  readonly KeySchema: KeySchema;
  readonly GlobalSecondaryIndexes?: readonly {
    readonly IndexName: string;
    readonly KeySchema: KeySchema;
    readonly Projection: Projection;
  }[];
  readonly StreamSpecification?: { readonly StreamViewType?: string };
}

/** The names of a key's attributes. @throws Error where there is no partition's */
export function keyNamesOf(schema: KeySchema): KeyNames {
  const nameOf = (type: string) => schema.find(({ KeyType }) => KeyType === type)?.AttributeName;
  const hash = nameOf("HASH");
  if (hash === undefined) throw new Error("a key has no partition");
  return { hash, sort: nameOf("RANGE") };
}

/** The attributes that are in an index, or undefined where all are. @param keys those of the table and of the index */
export function projectedBy(
  { ProjectionType, NonKeyAttributes = [] }: Projection,
  keys: readonly KeyNames[],
): readonly string[] | undefined {
  if (ProjectionType === "ALL") return undefined;
  const names = keys.flatMap(({ hash, sort }) => (sort === undefined ? [hash] : [hash, sort]));
  return [...new Set([...names, ...(ProjectionType === "INCLUDE" ? NonKeyAttributes : [])])];
}
