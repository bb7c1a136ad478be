import { GetSecretValueCommand, SecretsManagerClient } from "@aws-sdk/client-secrets-manager";
import * as z from "zod";
import { impatientClientConfig } from "../aws-client.ts";
import type { Secret, SecretValues } from "../carriers/kind.ts";

/** A function that lives long notices a new value by itself within this time, though nothing refuses the old one. */
const MEMORY_MS = 15 * 60_000;
/** Whoever refuses a secret does not make us ask for it more often than that. */
const REREAD_PAUSE_MS = 10_000;

const valuesSchema = z.record(z.string(), z.string());

/** A secret that cannot be used as it is; the message names the field, and quotes nothing. */
export class UnreadableSecretError extends Error {
  override readonly name = "UnreadableSecretError";
}

/**
 * Opens secrets of Secrets Manager whose value is a JSON object of texts.
 * @returns a function from ARN to secret; `read` throws UnreadableSecretError, or what the service throws
 */
export function createOpenSecret(
  client = new SecretsManagerClient(impatientClientConfig),
  now: () => number = Date.now,
): (arn: string) => Secret {
  /** By ARN, the value that was read last; undefined of a secret that is no text. */
  const remembered = new Map<string, { readonly value: string | undefined; readonly at: number }>();

  async function textOf(arn: string, forceFetch: boolean): Promise<string | undefined> {
    const known = remembered.get(arn);
    if (known && !forceFetch && now() - known.at < MEMORY_MS) return known.value;
    const { SecretString: value } = await client.send(new GetSecretValueCommand({ SecretId: arn }));
    remembered.set(arn, { value, at: now() });
    return value;
  }

  return (arn) => {
    let rereadAt = Number.NEGATIVE_INFINITY;
    let isUnreadable = false;
    /** All who come meanwhile wait for the same answer. */
    let reading: Promise<SecretValues> | undefined;

    async function fetchValues(forceFetch: boolean): Promise<SecretValues> {
      const value = await textOf(arn, forceFetch);
      isUnreadable = true;
      const values = parseValues(value);
      isUnreadable = false;
      return values;
    }

    function get(forceFetch: boolean): Promise<SecretValues> {
      const begun = fetchValues(forceFetch).finally(() => {
        if (reading === begun) reading = undefined;
      });
      reading = begun;
      return begun;
    }

    function reread(): Promise<SecretValues> {
      const mayReread = now() - rereadAt >= REREAD_PAUSE_MS;
      if (!mayReread) return reading ?? get(false);
      rereadAt = now();
      return get(true);
    }

    return {
      // What could not be read is looked at again: somebody may have mended it.
      read: () => (isUnreadable ? reread() : (reading ?? get(false))),
      reread,
    };
  };
}

function parseValues(value: string | undefined): SecretValues {
  let json: unknown;
  try {
    json = JSON.parse(String(value));
  } catch {
    throw new UnreadableSecretError("the secret's value is not JSON");
  }
  const parsed = valuesSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new UnreadableSecretError("the secret's value is not an object of texts");
}
