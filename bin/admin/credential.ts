import { rotateCredential } from "../../functions/core/accounts.ts";
import { passwordLines } from "./account.ts";
import { type OfAccount, onAccount, overlap } from "./options.ts";
import type { Session } from "./session.ts";

/** Adds `credential`. */
export function addCredentialCommands({ program, connect, report }: Session): void {
  const credential = program.command("credential").description("passwords of accounts");

  onAccount(credential.command("rotate"))
    .description("give an account a new password and print it, once")
    .addOption(overlap("password"))
    .action(
      report(async ({ account, overlapMinutes }: OfAccount & { overlapMinutes: number }) => {
        const rotated = await rotateCredential(await connect(), account, overlapMinutes);
        return { lines: passwordLines(rotated), json: rotated };
      }),
    );
}
