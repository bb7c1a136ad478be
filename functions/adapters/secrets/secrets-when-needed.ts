import type { Secret } from "../carriers/kind.ts";
import { whenNeeded } from "../when-needed.ts";

/** Opens secrets with a client that is loaded with the first of them: few carriers have one. */
export function openSecretWhenNeeded(): (arn: string) => Secret {
  const open = whenNeeded(async () => {
    const { createOpenSecret } = await import("./secrets.ts");
    return createOpenSecret();
  });
  return (arn) => {
    const secret = whenNeeded(async () => (await open())(arn));
    return {
      read: async () => (await secret()).read(),
      reread: async () => (await secret()).reread(),
    };
  };
}
