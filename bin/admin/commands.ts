import { addAccountCommands } from "./account.ts";
import { addBlockedCommands } from "./blocked.ts";
import { addCallbackCommands } from "./callbacks.ts";
import { addCampaignCommands } from "./campaign.ts";
import { addCarrierCommands } from "./carrier.ts";
import { addCredentialCommands } from "./credential.ts";
import { addEndpointCommands } from "./endpoint.ts";
import { addFlowCommands } from "./flow.ts";
import { addLimitsCommands } from "./limits.ts";
import { addOptOutCommands } from "./opt-out.ts";
import { addSandboxCommands } from "./sandbox.ts";
import type { Session } from "./session.ts";
import { addSubAccountCommands } from "./sub-account.ts";
import { addTemplateCommands } from "./template.ts";
import { addUserCommands } from "./user.ts";

/** Every group of commands, in the order in which they are listed. */
const groups = [
  addAccountCommands,
  addCredentialCommands,
  addSubAccountCommands,
  addUserCommands,
  addEndpointCommands,
  addCallbackCommands,
  addTemplateCommands,
  addFlowCommands,
  addCampaignCommands,
  addLimitsCommands,
  addBlockedCommands,
  addOptOutCommands,
  addCarrierCommands,
  addSandboxCommands,
];

/** Adds all commands there are. */
export function addCommands(session: Session): void {
  for (const addGroup of groups) addGroup(session);
}
