import { Option } from "commander";
import { PROTOCOLS } from "../../functions/adapters/carriers/protocols.ts";
import {
  addCarrierAccount,
  type CarrierAccount,
  type NewCarrierSecret,
  removeCarrierAccount,
  rotateCarrierSecret,
} from "../../functions/core/carrier-account.ts";
import { ministackApiUrl } from "../ministack-quirks.ts";
import { overlap } from "./options.ts";
import { describeItem, describeSecrets, linesOf } from "./output.ts";
import type { Access, Report, Session } from "./session.ts";

interface OfCarrier {
  readonly name: string;
}

const NAME = ["--name <name>", "the name of the carrier that messages are handed to"] as const;

/** Adds `carrier`. */
export function addCarrierCommands({ program, connect, report }: Session): void {
  const carrier = program
    .command("carrier")
    .description("carriers that report receipts and MOs over HTTP, and their secrets");

  carrier
    .command("add")
    .description("let a carrier report, and print its secret, once")
    .requiredOption(...NAME)
    .addOption(
      new Option("--protocol <protocol>", "how it reports")
        .choices(Object.keys(PROTOCOLS))
        .makeOptionMandatory(),
    )
    .action(
      report(async ({ name, protocol }: OfCarrier & { protocol: string }) => {
        const access = await connect();
        const request = { carrier: name, protocol };
        const added = await addCarrierAccount(access, request, Object.keys(PROTOCOLS));
        return reportSecret(added, apiUrlOf(access));
      }),
    );

  carrier
    .command("list")
    .description("list the carriers that may report")
    .action(
      report(async () => {
        const accounts = await (await connect()).carrierAccounts.listCarrierAccounts();
        return {
          lines: linesOf(
            accounts,
            ({ carrier: name, protocol }) => `${name}  ${protocol}`,
            "No carrier reports over HTTP.",
          ),
          json: { carriers: accounts.map(describeCarrier) },
        };
      }),
    );

  carrier
    .command("rotate-secret")
    .description("give a carrier a new secret and print it, once; takes effect within seconds")
    .requiredOption(...NAME)
    .addOption(overlap("secret"))
    .action(
      report(async ({ name, overlapMinutes }: OfCarrier & { overlapMinutes: number }) => {
        const access = await connect();
        const rotated = await rotateCarrierSecret(access, name, overlapMinutes);
        return reportSecret(rotated, apiUrlOf(access));
      }),
    );

  carrier
    .command("remove")
    .description("take no more reports of a carrier; takes effect within seconds")
    .requiredOption(...NAME)
    .action(
      report(async ({ name }: OfCarrier) => {
        await removeCarrierAccount((await connect()).carrierAccounts, name);
        return { lines: ["removed"], json: { removed: name } };
      }),
    );
}

/** Of an emulator, what its own output says can rarely be called. */
function apiUrlOf({ outputs, target: { clientConfig } }: Access): string {
  const endpoint = clientConfig.endpoint ?? process.env.AWS_ENDPOINT_URL;
  return endpoint === undefined ? outputs.ApiUrl : ministackApiUrl(endpoint, outputs.ApiId);
}

function reportSecret({ account, secret }: NewCarrierSecret, apiUrl: string): Report {
  const url = `${apiUrl}/carriers/${account.carrier}`;
  return {
    lines: [
      `receipts  ${url}/dlr`,
      `MOs       ${url}/mo`,
      `secret    ${secret}`,
      "The secret is shown this once; only its hash is stored.",
    ],
    json: { ...describeCarrier(account), dlrUrl: `${url}/dlr`, moUrl: `${url}/mo`, secret },
  };
}

const describeCarrier = ({ secrets, ...account }: CarrierAccount) => ({
  ...describeItem(account),
  secrets: describeSecrets(secrets),
});
