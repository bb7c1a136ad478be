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
  /** By ARN, what was read last. */
  const remembered = new Map<string, { readonly reading: Reading; readonly at: number }>();

  async function readingOf(arn: string, forceFetch: boolean): Promise<Reading> {
    const known = remembered.get(arn);
    if (known && !forceFetch && now() - known.at < MEMORY_MS) return known.reading;
    const { SecretString: value } = await client.send(new GetSecretValueCommand({ SecretId: arn }));
    const reading = readValues(value);
    remembered.set(arn, { reading, at: now() });
    return reading;
  }

  return (arn) => {
    let rereadAt = Number.NEGATIVE_INFINITY;
    let isUnreadable = false;
    /** All who come meanwhile wait for the same answer. */
    let reading: Promise<SecretValues> | undefined;

    async function fetchValues(forceFetch: boolean): Promise<SecretValues> {
      const { values, problem } = await readingOf(arn, forceFetch);
      isUnreadable = values === undefined;
      if (values) return values;
      throw new UnreadableSecretError(problem);
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

/** What a secret says, or why it says nothing. It is parsed once: each message asks for it. */
type Reading =
  | { readonly values: SecretValues; readonly problem?: undefined }
  | { readonly values?: undefined; readonly problem: string };

/** @param value undefined of a secret that is no text */
function readValues(value: string | undefined): Reading {
  let json: unknown;
  try {
    json = JSON.parse(String(value));
  } catch {
    return { problem: "the secret's value is not JSON" };
  }
  const parsed = valuesSchema.safeParse(json);
  return parsed.success
    ? { values: parsed.data }
    : { problem: "the secret's value is not an object of texts" };
}
