import { LRUCache } from "lru-cache";
import type { Clock, Directory } from "./ports.ts";

/** For how long a change of an account or endpoint goes unnoticed. */
const MEMORY_MS = 2_000;
const REMEMBERED = 1_000;

type Found = "findAccount" | "findEndpoint" | "listEndpoints";

/**
 * A directory that does not ask again for accounts and endpoints that it found a moment ago: all
 * of an account lies in one partition, which the account's own requests need as well.
 */
export function rememberDirectory(
  directory: Pick<Directory, Found>,
  clock: Clock,
): Pick<Directory, Found> {
  function remembering<Key extends string[], T extends object>(
    find: (...key: Key) => Promise<T | undefined>,
  ) {
    const known = new LRUCache<string, { readonly found: T; readonly at: number }>({
      max: REMEMBERED,
    });
    const asked = new Map<string, Promise<T | undefined>>();
    const ask = async (name: string, key: Key): Promise<T | undefined> => {
      const at = clock.now();
      const found = await find(...key);
      if (found) known.set(name, { found, at });
      return found;
    };
    return async (...key: Key): Promise<T | undefined> => {
      const name = JSON.stringify(key);
      const remembered = known.get(name);
      const age = clock.now() - (remembered?.at ?? 0);
      // A clock that was set back makes nothing younger.
      if (remembered && age >= 0 && age < MEMORY_MS) return remembered.found;
      // Many ask at the same time: one question does for all.
      const question = asked.get(name) ?? ask(name, key).finally(() => asked.delete(name));
      asked.set(name, question);
      return question;
    };
  }

  return {
    findAccount: remembering((account: string) => directory.findAccount(account)),
    findEndpoint: remembering((account: string, endpointId: string) =>
      directory.findEndpoint(account, endpointId),
    ),
    listEndpoints: (account) => directory.listEndpoints(account),
  };
}
