import { type SESv2Client, SendEmailCommand } from "@aws-sdk/client-sesv2";
import type { Mailer } from "../../core/notify-owner.ts";

const utf8 = (Data: string) => ({ Data, Charset: "UTF-8" });

/**
 * Mail, by SES. That knows no idempotency: a mail whose answer is lost is sent again.
 * @param deps.from an address that SES has verified, or whose domain it has
 */
export function createMailer(deps: {
  readonly client: SESv2Client;
  readonly from: string;
}): Mailer {
  return {
    async send({ to, subject, text }) {
      await deps.client.send(
        new SendEmailCommand({
          FromEmailAddress: deps.from,
          Destination: { ToAddresses: [...to] },
          Content: { Simple: { Subject: utf8(subject), Body: { Text: utf8(text) } } },
        }),
      );
    },
  };
}
