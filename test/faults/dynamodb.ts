import { Agent, request as httpRequest } from "node:http";
import type { DynamoDBRecord } from "aws-lambda";
import type { WireAnswer } from "./aws-wire.ts";
import type { TableSettings } from "./topology.ts";

/** A DynamoDB to be talked to without the SDK. */
export class DynamoDb {
  readonly #agent = new Agent({ keepAlive: true });
  readonly #port: number;

  constructor(port: number) {
    this.#port = port;
  }

  /** @param target an operation with the version of its API */
  async send(target: string, body: unknown): Promise<WireAnswer> {
    const content = Buffer.from(JSON.stringify(body));
    return new Promise((resolve, reject) => {
      const request = httpRequest(
        {
          host: "127.0.0.1",
          port: this.#port,
          method: "POST",
          agent: this.#agent,
          headers: {
            "content-type": "application/x-amz-json-1.0",
            "content-length": content.length,
            "x-amz-target": target,
            authorization:
              "AWS4-HMAC-SHA256 Credential=test/20260302/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0",
          },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on("data", (chunk: Buffer) => chunks.push(chunk));
          response.once("error", reject);
          response.once("end", () => {
            const text = Buffer.concat(chunks).toString("utf8");
            resolve({ status: response.statusCode ?? 500, body: JSON.parse(text || "{}") });
          });
        },
      );
      request.once("error", reject);
      request.end(content);
    });
  }

  /** @throws Error where DynamoDB refuses */
  async must<T>(target: string, body: unknown): Promise<T> {
    const answer = await this.send(target, body);
    if (answer.status !== 200) {
      throw new Error(`${target} failed: ${JSON.stringify(answer.body)}`);
    }
    return answer.body as T;
  }

  /** @returns the stream of the table, if it has one */
  async createTable(tableName: string, { definition }: TableSettings): Promise<string | undefined> {
    const { TableDescription } = await this.must<{
      TableDescription: { LatestStreamArn?: string };
    }>("DynamoDB_20120810.CreateTable", { TableName: tableName, ...definition });
    return TableDescription.LatestStreamArn;
  }

  close(): void {
    this.#agent.destroy();
  }
}

const STREAMS = "DynamoDBStreams_20120810";
const MOST_RECORDS = 1_000;

interface ReadRecords {
  readonly Records: readonly DynamoDBRecord[];
  readonly NextShardIterator?: string;
}

/** A table's stream, read once for all worlds in the table. */
export class TableStream {
  readonly #dynamoDb: DynamoDb;
  readonly #arn: string;
  readonly #readers = new Map<string, (record: DynamoDBRecord) => void>();
  #iterator: string | undefined;
  /** The sequence number of the last record handed on. */
  #last = -1n;
  #begun = 0;
  #done = 0;
  #reading: Promise<void> | undefined;

  constructor(dynamoDb: DynamoDb, arn: string) {
    this.#dynamoDb = dynamoDb;
    this.#arn = arn;
  }

  /** Has a world told of the records of its accounts. @param prefix what those are called */
  subscribe(prefix: string, onRecord: (record: DynamoDBRecord) => void): () => void {
    this.#readers.set(prefix, onRecord);
    return () => this.#readers.delete(prefix);
  }

  /** A mark behind which everything lies that has been written by now. */
  get mark(): number {
    return this.#begun;
  }

  /** Reads to the end of the stream, as it was at a mark at least. */
  async catchUp(mark: number): Promise<void> {
    while (this.#done <= mark) {
      this.#reading ??= this.#read().finally(() => {
        this.#reading = undefined;
      });
      await this.#reading;
    }
  }

  async #read(): Promise<void> {
    const number = ++this.#begun;
    for (;;) {
      const { Records, NextShardIterator } = await this.#readOn();
      if (!NextShardIterator) throw new Error("the stream has gone on to another shard");
      this.#iterator = NextShardIterator;
      for (const record of Records) this.#handOnce(record);
      if (Records.length < MOST_RECORDS) break;
    }
    this.#done = number;
  }

  /** Where DynamoDB Local has lost its place, as it does now and then on a busy machine, from the beginning. */
  async #readOn(): Promise<ReadRecords> {
    const get = async (ShardIterator: string) =>
      this.#dynamoDb.must<ReadRecords>(`${STREAMS}.GetRecords`, { ShardIterator });
    this.#iterator ??= await this.#begin();
    try {
      return await get(this.#iterator);
    } catch (error) {
      if (!String(error).includes("TrimmedDataAccessException")) throw error;
      return get(await this.#begin());
    }
  }

  #handOnce(record: DynamoDBRecord): void {
    const sequence = BigInt(record.dynamodb?.SequenceNumber ?? 0);
    if (sequence <= this.#last) return;
    this.#last = sequence;
    this.#hand(record);
  }

  #hand(record: DynamoDBRecord): void {
    const partition = record.dynamodb?.Keys?.pk?.S ?? "";
    const [world = ""] = partition.split(".");
    this.#readers.get(world)?.(record);
  }

  async #begin(): Promise<string> {
    const { StreamDescription } = await this.#dynamoDb.must<{
      StreamDescription: { Shards: { ShardId: string }[] };
    }>(`${STREAMS}.DescribeStream`, { StreamArn: this.#arn });
    const { ShardIterator } = await this.#dynamoDb.must<{ ShardIterator: string }>(
      `${STREAMS}.GetShardIterator`,
      {
        StreamArn: this.#arn,
        ShardId: StreamDescription.Shards[0]?.ShardId,
        ShardIteratorType: "TRIM_HORIZON",
      },
    );
    return ShardIterator;
  }
}
