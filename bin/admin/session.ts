import type { Command } from "commander";
import type { AwsTarget, StackOutputs } from "../aws-target.ts";
import type { CallbackAccess, DirectoryAccess } from "../directory-client.ts";
import type { StageCarriers } from "./stage-carriers.ts";

/** What a command answers: for people, and for programs. */
export interface Report {
  readonly lines: readonly string[];
  readonly json: object;
}

/** The stage that is managed. */
export interface Access extends DirectoryAccess, CallbackAccess, StageCarriers {
  readonly outputs: StackOutputs;
  readonly target: AwsTarget;
  /** Waits. */
  pause(ms: number): Promise<void>;
}

/** What groups of commands are added to, and what their commands work with. */
export interface Session {
  readonly program: Command;
  /** @throws NoTargetError where there is nothing to be managed */
  connect(): Promise<Access>;
  /** An action that runs a command and prints what it reports, or in one sentence why it could not be carried out. */
  report<Arguments extends unknown[]>(
    run: (...args: Arguments) => Promise<Report>,
  ): (...args: Arguments) => Promise<void>;
}
