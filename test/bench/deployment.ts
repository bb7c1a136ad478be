import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { bundleOptions } from "../../bin/build/bundle-options.ts";
import { LeavingOut } from "../../bin/build/left-out.ts";
import { type Customer, createCustomer } from "./customer.ts";
import { NullAws } from "./null-aws-client.ts";
import { readStack, type Stack, variableOf } from "./stack.ts";
import { discardWaiting, World } from "./world.ts";

/** Everything that workloads need: the null AWS with the stack's tables and queues, and its bundles. */
export class Deployment {
  readonly nullAws: NullAws;
  readonly stack: Stack;
  readonly customer: Customer;
  /** Files that are gone when the deployment is. */
  readonly directory: string;
  readonly runtime: string;

  private constructor(fields: {
    readonly nullAws: NullAws;
    readonly stack: Stack;
    readonly customer: Customer;
    readonly directory: string;
    readonly runtime: string;
  }) {
    this.nullAws = fields.nullAws;
    this.stack = fields.stack;
    this.customer = fields.customer;
    this.directory = fields.directory;
    this.runtime = fields.runtime;
  }

  /** Builds the functions as they would be deployed, and deploys them to a null AWS. */
  static async begin({ builds }: { readonly builds: boolean }): Promise<Deployment> {
    if (builds) execFileSync("npm", ["run", "--silent", "build"], { stdio: "ignore" });
    const directory = mkdtempSync(join(tmpdir(), "torpedo-bench-"));
    const nullAws = await NullAws.start();
    const stack = readStack(nullAws, directory);
    const { tables, queues, rules } = stack;
    const urlOf = new Map(queues.map(({ id, url }) => [id, url]));
    await nullAws.control("tables", { tables });
    await nullAws.control("queues", { queues: queues.map(({ url, arn }) => ({ url, arn })) });
    await nullAws.control("rules", {
      rules: rules.map(({ pattern, queueIds }) => ({
        bus: variableOf(stack, "EVENT_BUS_NAME"),
        pattern,
        queueUrls: queueIds.map((id) => urlOf.get(id)),
      })),
    });
    const customer = await createCustomer(nullAws, stack);
    await nullAws.takeCounts();
    const runtime = await bundle("test/bench/lambda/runtime.ts", directory, "runtime");
    return new Deployment({ nullAws, stack, customer, directory, runtime });
  }

  /** A world with processes of its own. */
  world(): World {
    return new World({ stack: this.stack, nullAws: this.nullAws, runtime: this.runtime });
  }

  /** Removes what workloads have left in tables, queues and streams, and leaves the customer. */
  async clear(): Promise<void> {
    const directory = variableOf(this.stack, "DIRECTORY_TABLE");
    const names = this.stack.tables.map(({ name }) => name).filter((name) => name !== directory);
    await this.nullAws.control("clear-tables", { names });
    await discardWaiting(this.nullAws, this.stack);
    await this.nullAws.takeCounts();
  }

  /** Ends the null AWS and removes the files. */
  async end(): Promise<void> {
    await this.nullAws.close();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** As functions have it: CommonJS packages still call `require`. */
const REQUIRE_SHIM =
  'import{createRequire as benchRequire}from"node:module";const require=benchRequire(import.meta.url);';

/** Bundles something of the benchmark's own as functions are bundled. @returns the file */
export async function bundle(entry: string, directory: string, name: string): Promise<string> {
  const outfile = join(directory, `${name}.mjs`);
  await build({
    ...bundleOptions,
    entryPoints: [entry],
    outfile,
    format: "esm",
    banner: { js: REQUIRE_SHIM },
    plugins: [new LeavingOut().plugin],
    // What is written elsewhere finds the project's packages, too.
    nodePaths: [join(process.cwd(), "node_modules")],
  });
  return outfile;
}
