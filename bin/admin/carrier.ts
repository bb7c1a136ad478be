import { Option } from "commander";
import { PROTOCOL_NAMES } from "../../functions/adapters/carriers/protocols.ts";
import {
  addCarrierAccount,
  type CarrierAccount,
  type NewCarrierSecret,
  removeCarrierAccount,
  rotateCarrierSecret,
} from "../../functions/core/carrier-account.ts";
import { ministackApiUrl } from "../ministack-quirks.ts";
import { reportStatus } from "./carrier-status.ts";
import { overlap } from "./options.ts";
import { describeItem, describeSecrets, linesOf } from "./output.ts";
import type { Access, Report, Session } from "./session.ts";
import { knownCarriers } from "./stage-carriers.ts";

interface OfCarrier {
  readonly name: string;
}

const NAME = ["--name <name>", "the name of the carrier that messages are handed to"] as const;

/** Adds `carrier`. */
export function addCarrierCommands({ program, connect, report }: Session): void {
  const carrier = program
    .command("carrier")
    .description("the stage's carriers, and those that report receipts and MOs over HTTP");

  carrier
    .command("add")
    .description("let a carrier report, and print its secret, once")
    .requiredOption(...NAME)
    .addOption(
      new Option("--protocol <protocol>", "how it reports")
        .choices(PROTOCOL_NAMES)
        .makeOptionMandatory(),
    )
    .action(
      report(async ({ name, protocol }: OfCarrier & { protocol: string }) => {
        const access = await connect();
        const request = { carrier: name, protocol };
        const added = await addCarrierAccount(access, request, PROTOCOL_NAMES);
        return reportSecret(added, apiUrlOf(access));
      }),
    );

  carrier
    .command("list")
    .description("list the stage's carriers, and those that may report over HTTP")
    .action(report(async () => reportList(await connect())));

  carrier
    .command("status")
    .description("show how the stage's carriers fare: who is demoted, and what was handed over")
    .action(
      report(async () => {
        const access = await connect();
        return reportStatus(knownCarriers(access), access.clock);
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

/** A stack that says nothing of its carriers has accounts of carriers nonetheless. */
async function reportList({ carrierAccounts, offers }: Access): Promise<Report> {
  const accounts = await carrierAccounts.listCarrierAccounts();
  const ofStage = Object.entries(offers ?? {}).map(([carrier, offer]) => ({ carrier, ...offer }));
  const lineOf = (name: string) => {
    const offer = ofStage.find(({ carrier }) => carrier === name);
    const protocol = accounts.find(({ carrier }) => carrier === name)?.protocol;
    return [
      name,
      ...(offer ? [`senders ${offer.senders?.join(", ") ?? "any"}`] : []),
      ...(offers && !offer ? ["not of the stage"] : []),
      ...(protocol === undefined ? [] : [`reports by ${protocol}`]),
    ].join("  ");
  };
  const names = [...ofStage, ...accounts].map(({ carrier }) => carrier);
  return {
    lines: linesOf([...new Set(names)], lineOf, "Nothing is known of any carrier."),
    json: { carriers: accounts.map(describeCarrier), ...(offers && { ofStage }) },
  };
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
