import { describe, expect, it } from "vitest";
import { CallbackReceiver } from "./support/callback-receiver.ts";
import { eventually } from "./support/eventually.ts";
import { logLines } from "./support/logs.ts";
import { TestAccount } from "./support/stack.ts";

describe("the logs", () => {
  it("follow a message by one id until its receipt, and hold neither number nor text", async () => {
    const receiver = await CallbackReceiver.start();
    const account = await TestAccount.create();
    await account.addEndpoint(receiver.url);
    const destination = "5592900007654";
    const { body } = await account.sendSms({ destination, messageText: "nobody's business" });
    const { id: traceId } = body.sendSmsResponse;
    await eventually(() => expect(receiver.statusesOf(traceId)).toContain("03/120"));
    receiver.stop();
    const lines = await eventually(async () => {
      const found = await logLines();
      const services = found
        .filter((line) => line.includes(traceId))
        .map((line) => JSON.parse(line).service);
      // Callbacks that are taken are in their history, and only counted here.
      expect([...new Set(services)].sort()).toEqual(["carrier-events", "dispatch", "mesago"]);
      return found;
    });
    expect(lines.filter((line) => line.includes(destination))).toEqual([]);
    expect(lines.filter((line) => line.includes("nobody's business"))).toEqual([]);
  });

  it("carry metrics", async () => {
    const account = await TestAccount.create();
    const { body } = await account.sendSms({});
    await eventually(async () =>
      expect(await account.codes(body.sendSmsResponse.id)).toBe("03/120"),
    );
    await eventually(async () => {
      const metrics = (await logLines())
        .filter((line) => line.startsWith('{"_aws"'))
        .flatMap((line) => JSON.parse(line)._aws.CloudWatchMetrics[0].Metrics)
        .map(({ Name }) => Name);
      expect(metrics).toEqual(
        expect.arrayContaining([
          "MessagesAccepted",
          "MessagesSent",
          "MessagesDelivered",
          "AcceptedToSent",
          "SentToDelivered",
        ]),
      );
    });
  });
});
