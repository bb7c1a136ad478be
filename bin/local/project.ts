import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The project's top level. */
export const PROJECT_DIRECTORY = fileURLToPath(new URL("../..", import.meta.url));

/** Everything that local runs and tests leave behind; not part of the repository. */
export const LOCAL_DIRECTORY = join(PROJECT_DIRECTORY, ".local");
