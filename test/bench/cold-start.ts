import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type BundleSize, clientsOf, sizeOfBundle } from "./bundle-contents.ts";
import { bundle, type Deployment } from "./deployment.ts";
import { httpEvent } from "./http-events.ts";
import { LambdaProcess } from "./lambda/lambda-process.ts";
import type { StackFunction } from "./stack.ts";
import { median } from "./usage.ts";

/** How a function starts. Times are from the process's beginning to its first answer, in milliseconds. */
export interface ColdStart {
  readonly capability: string;
  readonly ms: number;
  readonly cpuMs: number;
  /** The same of a handler that does nothing, with the same clients. */
  readonly emptyMs: number;
  readonly emptyCpuMs: number;
  /** Ours ÷ the empty one's, the median of those that were begun one right after the other. */
  readonly ratio: number;
  readonly cpuRatio: number;
  readonly clients: readonly string[];
  readonly size: BundleSize;
}

/** How a client of each package is made, and what that takes. */
const CLIENTS: Readonly<Record<string, { readonly names: string; readonly make: string }>> = {
  "@aws-sdk/client-dynamodb": { names: "DynamoDBClient", make: "new DynamoDBClient({})" },
  "@aws-sdk/client-eventbridge": { names: "EventBridgeClient", make: "new EventBridgeClient({})" },
  "@aws-sdk/client-scheduler": { names: "SchedulerClient", make: "new SchedulerClient({})" },
  "@aws-sdk/client-secrets-manager": {
    names: "SecretsManagerClient",
    make: "new SecretsManagerClient({})",
  },
  "@aws-sdk/client-sesv2": { names: "SESv2Client", make: "new SESv2Client({})" },
  "@aws-sdk/client-sqs": { names: "SQSClient", make: "new SQSClient({})" },
  "@aws-sdk/lib-dynamodb": {
    names: "DynamoDBDocumentClient",
    make: "DynamoDBDocumentClient.from(new DynamoDBClient({}))",
  },
};

/** The code of a handler that does nothing and has these clients. @throws Error for a client that nobody has made before */
export function emptyHandler(packages: readonly string[]): string {
  const imports = packages.map((name) => {
    const client = CLIENTS[name];
    if (!client) throw new Error(`how is a client of ${name} made?`);
    return `import { ${client.names} } from "${name}";`;
  });
  const made = packages.map((name) => CLIENTS[name]?.make);
  return [
    ...imports,
    `export const clients = [${made.join(", ")}];`,
    "export const handler = async () => ({ statusCode: 200, batchItemFailures: [] });",
  ].join("\n");
}

/** Starts each function again and again, and beside it an empty handler with the same clients. */
export async function measureColdStarts(
  deployment: Deployment,
  { starts }: { readonly starts: number },
): Promise<readonly ColdStart[]> {
  const results: ColdStart[] = [];
  for (const target of deployment.stack.functions) {
    // Those of two lanes are the same.
    if (target.name !== target.capability) continue;
    results.push(await measureColdStart(deployment, target, starts));
  }
  return results.sort((one, other) => one.capability.localeCompare(other.capability));
}

async function measureColdStart(
  deployment: Deployment,
  target: StackFunction,
  starts: number,
): Promise<ColdStart> {
  const { capability } = target;
  const clients = await clientsOf(capability, join(deployment.directory, "looked-at", capability));
  const source = join(deployment.directory, `empty-${capability}.ts`);
  await writeFile(source, emptyHandler(clients));
  const empty = await bundle(source, deployment.directory, `empty-${capability}`);
  const event = JSON.stringify(firstEvent(deployment, target));
  const start = (file: string) => startOnce(deployment, target, file, event);
  const ours: Start[] = [];
  const theirs: Start[] = [];
  // The first of each finds nothing in the machine's own caches.
  await start(target.bundle);
  await start(empty);
  for (let turn = 0; turn < starts; turn++) {
    ours.push(await start(target.bundle));
    theirs.push(await start(empty));
  }
  const ratios = (of: (start: Start) => number) =>
    ours.map((start, turn) => of(start) / of(theirs[turn] ?? start));
  return {
    capability,
    ratio: median(ratios(({ ms }) => ms)),
    cpuRatio: median(ratios(({ cpuMs }) => cpuMs)),
    ms: median(ours.map(({ ms }) => ms)),
    cpuMs: median(ours.map(({ cpuMs }) => cpuMs)),
    emptyMs: median(theirs.map(({ ms }) => ms)),
    emptyCpuMs: median(theirs.map(({ cpuMs }) => cpuMs)),
    clients,
    size: sizeOfBundle(target.bundle),
  };
}

interface Start {
  readonly ms: number;
  readonly cpuMs: number;
}

async function startOnce(
  { runtime }: Deployment,
  target: StackFunction,
  file: string,
  event: string,
): Promise<Start> {
  const begin = performance.now();
  const process = new LambdaProcess({ ...target, bundle: file, runtime });
  try {
    await process.invoke(event);
    const ms = performance.now() - begin;
    const { cpuMs } = await process.sumUp();
    return { ms, cpuMs };
  } finally {
    await process.close();
  }
}

/** What is answered without much ado: a request without credentials, or a batch with nothing in it. */
function firstEvent({ stack }: Deployment, { id }: StackFunction): object {
  const route = stack.routes.find(({ functionId }) => functionId === id);
  if (!route) return { Records: [] };
  const [method = "", pattern = ""] = route.key.split(" ");
  const path = pattern.replace(/\{\w+\+?\}/g, "nobody");
  return httpEvent(stack.routes, { method: method === "ANY" ? "GET" : method, path }, 0).event;
}
