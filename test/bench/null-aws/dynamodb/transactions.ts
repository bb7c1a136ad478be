import { AwsError, invalid } from "../aws-error.ts";
import { assertDifferent } from "./reads.ts";
import type { Tables } from "./tables.ts";
import {
  type DeleteInput,
  type PlannedWrite,
  type PutInput,
  planCheck,
  planDelete,
  planPut,
  planUpdate,
  type UpdateInput,
} from "./writes.ts";

const MAX_ITEMS = 100;
/** What is prepared and committed is written twice; indexes follow once. */
const TIMES = 2;

interface TransactItem {
  readonly Put?: PutInput;
  readonly Update?: UpdateInput;
  readonly Delete?: DeleteInput;
  readonly ConditionCheck?: DeleteInput;
}

export interface TransactWriteInput {
  readonly TransactItems: readonly TransactItem[];
  readonly ClientRequestToken?: string;
}

interface Reason {
  readonly Code: string;
  readonly Message?: string;
  readonly Item?: unknown;
}

/** Writes all or nothing. @throws AwsError that gives the reason for each item */
export function transactWriteItems(
  tables: Tables,
  { TransactItems, ClientRequestToken }: TransactWriteInput,
): object {
  if (TransactItems.length === 0 || TransactItems.length > MAX_ITEMS) {
    throw invalid(`Member must have length less than or equal to ${MAX_ITEMS}`);
  }
  if (ClientRequestToken !== undefined && tables.transactions.has(ClientRequestToken)) return {};
  const plans = TransactItems.map((item) => plan(tables, item));
  const writes = plans.filter((it): it is PlannedWrite => !(it instanceof AwsError));
  assertDifferent(writes.map(({ table, key }) => `${table.name}\n${key.hash}\n${key.sort}`));
  const reasons = plans.map((it, index) => reasonOf(it, TransactItems[index]));
  if (reasons.some(({ Code }) => Code !== "None")) {
    for (const { table, before, after } of writes) table.bookRefusal(before, after, TIMES);
    const codes = reasons.map(({ Code }) => Code).join(", ");
    throw new AwsError(
      "TransactionCanceledException",
      `Transaction cancelled, please refer cancellation reasons for specific reasons [${codes}]`,
      { CancellationReasons: reasons },
    );
  }
  for (const { table, key, before, after, isCheck } of writes) {
    if (isCheck) table.bookRefusal(before, undefined, TIMES);
    else table.write(key, before, after, TIMES);
  }
  if (ClientRequestToken !== undefined) tables.transactions.add(ClientRequestToken);
  return {};
}

/** @returns the error where only what there is makes it impossible */
function plan(
  tables: Tables,
  { Put, Update, Delete, ConditionCheck }: TransactItem,
): PlannedWrite | AwsError {
  if (Put) return planPut(tables, Put);
  if (Delete) return planDelete(tables, Delete);
  if (ConditionCheck) return planCheck(tables, ConditionCheck);
  if (!Update) throw invalid("a member of a transaction does nothing");
  try {
    return planUpdate(tables, Update);
  } catch (error) {
    if (error instanceof AwsError) return error;
    throw error;
  }
}

function reasonOf(planned: PlannedWrite | AwsError, item: TransactItem | undefined): Reason {
  if (planned instanceof AwsError) return { Code: "ValidationError", Message: planned.message };
  if (planned.isAllowed) return { Code: "None" };
  const input = item?.Put ?? item?.Update ?? item?.Delete ?? item?.ConditionCheck;
  const isAskedFor = input?.ReturnValuesOnConditionCheckFailure === "ALL_OLD";
  return {
    Code: "ConditionalCheckFailed",
    Message: "The conditional request failed",
    ...(isAskedFor && planned.before && { Item: planned.before.item }),
  };
}
