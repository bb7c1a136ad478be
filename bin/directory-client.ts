import { createDocumentClient } from "../functions/adapters/dynamodb/client.ts";
import { createDirectory } from "../functions/adapters/dynamodb/directory.ts";
import type { Clock, Directory, Randomness } from "../functions/core/ports.ts";
import { systemClock, systemRandomness } from "../functions/runtime/system.ts";
import type { AwsTarget } from "./aws-target.ts";

/** The directory of a deployed stack, with what its use cases take besides. */
export interface DirectoryAccess {
  readonly directory: Directory;
  readonly clock: Clock;
  readonly randomness: Randomness;
}

/** Opens the directory of a deployed stack. */
export function openDirectory(
  { DirectoryTableName }: { readonly DirectoryTableName: string },
  clientConfig: AwsTarget["clientConfig"],
): DirectoryAccess {
  return {
    directory: createDirectory({
      client: createDocumentClient(clientConfig),
      tableName: DirectoryTableName,
    }),
    clock: systemClock,
    randomness: systemRandomness,
  };
}
