import type { DynamoDBRecord } from "aws-lambda";
import { Fifo } from "../fifo.ts";
import type { Item } from "./attribute-value.ts";
import { sizeOfItem } from "./sizes.ts";

/** Sequence numbers have 21 digits or more. */
const SEQUENCE_DIGITS = 15;
const SEQUENCE_PREFIX = "400000000";

/** What has changed in a table, with the images of before and after, until somebody takes it. */
export class Stream {
  readonly #arn: string;
  readonly #records = new Fifo<DynamoDBRecord>();
  #count = 0;

  constructor(tableName: string) {
    this.#arn = `arn:aws:dynamodb:us-east-1:000000000000:table/${tableName}/stream/2026-01-01T00:00:00.000`;
  }

  /** @param keys the attributes that are the item's key */
  add(keys: Item, before: Item | undefined, after: Item | undefined): void {
    this.#count += 1;
    const number = String(this.#count).padStart(SEQUENCE_DIGITS, "0");
    const sizes = [keys, before, after].map((image) => (image ? sizeOfItem(image) : 0));
    this.#records.push({
      eventID: number.padStart(32, "0"),
      eventName: !before ? "INSERT" : after ? "MODIFY" : "REMOVE",
      eventVersion: "1.1",
      eventSource: "aws:dynamodb",
      awsRegion: "us-east-1",
      dynamodb: {
        ApproximateCreationDateTime: Math.floor(Date.now() / 1_000),
        Keys: wire(keys),
        ...(after && { NewImage: wire(after) }),
        ...(before && { OldImage: wire(before) }),
        SequenceNumber: SEQUENCE_PREFIX + number,
        SizeBytes: sizes.reduce((sum, size) => sum + size, 0),
        StreamViewType: "NEW_AND_OLD_IMAGES",
      },
      eventSourceARN: this.#arn,
    });
  }

  take(max: number): DynamoDBRecord[] {
    return this.#records.take(max);
  }

  clear(): void {
    this.#records.clear();
  }
}

type Image = NonNullable<NonNullable<DynamoDBRecord["dynamodb"]>["Keys"]>;

/** The types of events want each value to be of exactly one type, as all are. */
const wire = (item: Item) => item as unknown as Image;
