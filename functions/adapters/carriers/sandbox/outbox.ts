import {
  type DynamoDBDocumentClient,
  PutCommand,
  paginateQuery,
  UpdateCommand,
} from "@aws-sdk/lib-dynamodb";
import * as z from "zod";
import type { Clock } from "../../../core/ports.ts";
import { parseItem } from "../../dynamodb/items.ts";

const KEPT_SECONDS = 24 * 60 * 60;

/** One hand-over to the sandbox carrier, as the phone's operator would have it in its books. */
const outboxEntrySchema = z.object({
  destination: z.string(),
  /** Milliseconds since the epoch. */
  receivedAt: z.number().int(),
  account: z.string(),
  messageId: z.string(),
  text: z.string(),
  /** What the stage calls the sandbox that was handed it. */
  carrier: z.string().default("sandbox"),
  /** From whom it came; the carrier's default where absent. */
  sender: z.string().optional(),
  flash: z.boolean(),
  /** Which part of a long message it was, and of how many. */
  part: z.object({ order: z.number().int(), total: z.number().int() }).optional(),
  attempt: z.number().int(),
  outcome: z.enum(["accepted", "unreachable", "rejected", "blocked", "broken"]),
});
export type OutboxEntry = z.infer<typeof outboxEntrySchema>;

/** What the sandbox carrier has been handed. */
export interface SandboxOutbox {
  /** Counts a hand-over of this SMS. @returns 1 for the first */
  countAttempt(sms: string): Promise<number>;
  add(entry: OutboxEntry): Promise<void>;
  /** @param destination E.164 digits @returns the hand-overs to this number, oldest first */
  list(destination: string): Promise<OutboxEntry[]>;
}

/** The outbox, in a table of its own: it plays the world outside, and is no part of Torpedo's data. */
export function createSandboxOutbox(deps: {
  readonly client: DynamoDBDocumentClient;
  readonly tableName: string;
  readonly clock: Clock;
}): SandboxOutbox {
  const { client, tableName: TableName } = deps;
  const removeAt = () => Math.ceil(deps.clock.now() / 1_000) + KEPT_SECONDS;
  return {
    async countAttempt(sms) {
      const { Attributes } = await client.send(
        new UpdateCommand({
          TableName,
          Key: { pk: `ATTEMPTS#${sms}`, sk: "ATTEMPTS" },
          UpdateExpression: "ADD attempts :one SET removeAt = :removeAt",
          ExpressionAttributeValues: { ":one": 1, ":removeAt": removeAt() },
          ReturnValues: "UPDATED_NEW",
        }),
      );
      return z.object({ attempts: z.number() }).parse(Attributes).attempts;
    },
    async add(entry) {
      const at = new Date(entry.receivedAt).toISOString();
      const sk = `${at}#${entry.account}#${entry.messageId}#${entry.part?.order ?? 1}`;
      await client.send(
        new PutCommand({
          TableName,
          Item: { pk: `TO#${entry.destination}`, sk, removeAt: removeAt(), ...entry },
        }),
      );
    },
    async list(destination) {
      const entries: OutboxEntry[] = [];
      const pages = paginateQuery(
        { client },
        {
          TableName,
          KeyConditionExpression: "pk = :to",
          ExpressionAttributeValues: { ":to": `TO#${destination}` },
          ConsistentRead: true,
        },
      );
      for await (const { Items = [] } of pages) {
        entries.push(...Items.map((item) => parseItem(outboxEntrySchema, item, "outbox entry")));
      }
      return entries;
    },
  };
}
