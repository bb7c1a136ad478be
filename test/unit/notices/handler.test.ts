import { expect, it } from "vitest";
import { type EndpointDisabled, endpointDisabledSchema } from "../../../functions/core/events.ts";
import { createHandler } from "../../../functions/notices/handler.ts";
import { MemoryDirectory } from "../../support/memory.ts";
import { MemoryUsers } from "../../support/memory-customers.ts";
import { sampleAccount } from "../../support/samples.ts";

it("says in the log which event it told of, to how many, and not to whom", async () => {
  const directory = new MemoryDirectory();
  directory.accounts.set("acme", sampleAccount({ email: "ops@acme.example" }));
  const handle = createHandler({
    directory,
    users: new MemoryUsers(),
    mailer: { send: async () => {} },
  });
  const event: EndpointDisabled = endpointDisabledSchema.parse({
    version: 1,
    eventId: "endpoint-1.disabled.1",
    account: "acme",
    endpointId: "endpoint-1",
    origin: "https://acme.example",
    reason: "gone",
    at: "2026-11-22T12:00:00.000Z",
  });
  expect(await handle(event)).toEqual({ eventId: "endpoint-1.disabled.1", recipients: 1 });
});
