import type { Directory } from "./ports.ts";

type Found = "findAccount" | "findEndpoint" | "listEndpoints";

/** A directory that is asked once by those who ask the same at the same time. Nothing is remembered. */
export function shareDirectory(directory: Pick<Directory, Found>): Pick<Directory, Found> {
  return {
    findAccount: shared((account) => directory.findAccount(account)),
    findEndpoint: shared((account, endpointId) => directory.findEndpoint(account, endpointId)),
    listEndpoints: shared((account) => directory.listEndpoints(account)),
  };
}

function shared<Key extends string[], T>(ask: (...key: Key) => Promise<T>) {
  const asked = new Map<string, Promise<T>>();
  return (...key: Key): Promise<T> => {
    const name = JSON.stringify(key);
    const before = asked.get(name);
    if (before) return before;
    const answer = ask(...key).finally(() => asked.delete(name));
    asked.set(name, answer);
    return answer;
  };
}
