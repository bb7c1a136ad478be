import { SESv2Client } from "@aws-sdk/client-sesv2";
import { expect, it } from "vitest";
import { createMailer } from "../../../functions/adapters/ses/mailer.ts";
import { stubbedAws } from "../../support/stub-aws.ts";

const mail = { to: ["a@acme.example", "b@acme.example"], subject: "Olá", text: "Não há mais.\n" };

it("sends one mail to all, as plain text in UTF-8", async () => {
  const { requests, config } = stubbedAws(() => ({ body: { MessageId: "1" } }));
  await createMailer({ client: new SESv2Client(config), from: "torpedo@example.org" }).send(mail);
  expect(requests).toEqual([
    {
      target: undefined,
      method: "POST",
      path: "/v2/email/outbound-emails",
      body: {
        FromEmailAddress: "torpedo@example.org",
        Destination: { ToAddresses: ["a@acme.example", "b@acme.example"] },
        Content: {
          Simple: {
            Subject: { Data: "Olá", Charset: "UTF-8" },
            Body: { Text: { Data: "Não há mais.\n", Charset: "UTF-8" } },
          },
        },
      },
    },
  ]);
});

it("throws what SES refuses", async () => {
  const { config } = stubbedAws(() => ({
    status: 400,
    headers: { "x-amzn-errortype": "MessageRejected" },
    body: { message: "Email address is not verified." },
  }));
  const mailer = createMailer({ client: new SESv2Client(config), from: "torpedo@example.org" });
  await expect(mailer.send(mail)).rejects.toThrow("Email address is not verified.");
});
