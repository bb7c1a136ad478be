import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import { build, type Loader, type Metafile, type Plugin } from "esbuild";

/** What is bundled in a module's place. */
interface StandIn {
  readonly contents: string;
  readonly loader?: Loader;
}

/** A module of a package that functions do not need as it is. */
interface LeftOut {
  readonly file: RegExp;
  readonly because: string;
  /** @param path of the module that is left out */
  readonly standIn: (path: string) => Promise<StandIn>;
}

/** What the functions' bundles do without. The command line and the tests have all of it. */
const LEFT_OUT: readonly LeftOut[] = [
  {
    file: /@aws-sdk\/credential-provider-node\/dist-es\/index\.js$/,
    because: "Lambda leaves credentials in the environment, and nowhere else",
    standIn: async () => ({
      contents: 'export { fromEnv as defaultProvider } from "@aws-sdk/credential-provider-env";',
    }),
  },
  {
    file: /@smithy\/core\/dist-es\/submodules\/config\/shared-ini-file-loader\/loadSharedConfigFiles\.js$/,
    because: "there are no ~/.aws/config and ~/.aws/credentials in Lambda",
    standIn: async () => ({
      contents:
        'export { CONFIG_PREFIX_SEPARATOR } from "./constants";' +
        "export const loadSharedConfigFiles = async () => ({ configFile: {}, credentialsFile: {} });",
    }),
  },
  {
    file: /\/bowser\/[^/]+\.js$|\/bowser\/[^/]+\.mjs$/,
    because: "it names browsers",
    standIn: refusing,
  },
  {
    file: /@smithy\/core\/dist-es\/submodules\/event-streams\/index\.js$/,
    because: "no operation of ours streams events",
    standIn: refusing,
  },
  {
    file: /@aws-sdk\/[^/]+\/package\.json$/,
    because: "a client tells its version, and not what it depends on",
    standIn: async (path) => {
      const { version } = JSON.parse(await readFile(path, "utf8")) as { version: string };
      return { contents: JSON.stringify({ version }), loader: "json" };
    },
  },
  {
    file: /@aws-sdk\/endpoint-cache\/dist-es\/EndpointCache\.js$/,
    because: "DynamoDB's clients do not ask for the endpoints that DynamoDB would have them use",
    standIn: async () => ({
      contents:
        "export class EndpointCache {" +
        " getEndpoint() {} get() {} has() { return false; } set() {} delete() {} }",
    }),
  },
  {
    file: /@smithy\/core\/dist-es\/submodules\/checksum\/sha256\/Sha256Js\.js$/,
    because: "Node has SHA-256",
    standIn: refusing,
  },
  {
    file: /\/zod\/v4\/core\/(?:to-json-schema|json-schema-processors)\.js$/,
    because: "what describes the APIs is made by the build",
    standIn: refusing,
  },
  {
    file: /\/libphonenumber-js\/metadata\.mobile\.json\.js$/,
    because: "numbers are read and never written as people of a country write them",
    standIn: numberingPlans,
  },
];

/** Packages that were in the bundles for the sake of something that is left out. */
const GONE = [
  "@aws-sdk/credential-provider-(?:http|ini|login|process|sso|web-identity)",
  "@aws-sdk/nested-clients",
  "@aws-sdk/token-providers",
  "@smithy/credential-provider-imds",
];

/** Leaves out of all bundles what no function needs, and knows whether there was anything to leave out. */
export class LeavingOut {
  readonly #met = new Set<LeftOut>();

  /** For the build of one bundle. */
  readonly plugin: Plugin = {
    name: "left-out",
    setup: ({ onLoad }) => {
      for (const leftOut of LEFT_OUT) {
        onLoad({ filter: leftOut.file }, async ({ path }) => {
          this.#met.add(leftOut);
          return { resolveDir: dirname(path), ...(await leftOut.standIn(path)) };
        });
      }
    },
  };

  /**
   * To be asked when all bundles are built.
   * @throws Error where the list does not fit the packages any more
   */
  check(bundles: readonly Metafile[]): void {
    const idle = LEFT_OUT.filter((leftOut) => !this.#met.has(leftOut)).map(
      ({ file }) => `nothing is left out by ${file}`,
    );
    const bundled = bundles.flatMap(({ outputs }) =>
      Object.values(outputs).flatMap(({ inputs }) => Object.keys(inputs)),
    );
    const back = GONE.filter((name) => {
      const file = new RegExp(`node_modules/${name}/`);
      return bundled.some((input) => file.test(input));
    }).map((name) => `${name} is in a bundle`);
    const problems = [...idle, ...back];
    if (problems.length === 0) return;
    throw new Error(
      `what bundles do without has changed (bin/build/left-out.ts): ${problems.join("; ")}`,
    );
  }
}

/** Has all that the module exports, and does nothing but say that it is not there. */
async function refusing(path: string): Promise<StandIn> {
  const { metafile } = await build({
    entryPoints: [path],
    bundle: false,
    write: false,
    format: "esm",
    metafile: true,
    outdir: "nowhere",
  });
  const names = Object.values(metafile.outputs).flatMap((output) => output.exports);
  const refusal = `function refuse() { throw new Error(${JSON.stringify(`${path.replace(/.*node_modules\//, "")} is left out of the functions' bundles`)}); }`;
  return {
    contents: `${refusal} export { ${names.map((name) => `refuse as ${name}`).join(", ")} };`,
  };
}

/** Of what libphonenumber knows of a country, where the patterns stand by which its numbers are written. */
const FORMATS = 4;

type Plans = Readonly<Record<string, readonly unknown[]>>;

/**
 * The numbering plans of all countries, without the ways of writing their numbers. They are read
 * when the first number is: as a text, they cost hardly anything until then.
 */
async function numberingPlans(path: string): Promise<StandIn> {
  const { default: metadata } = (await import(pathToFileURL(path).href)) as {
    default: { readonly countries: Plans; readonly nonGeographic: Plans };
  };
  const plans = {
    ...metadata,
    countries: withoutFormats(metadata.countries),
    nonGeographic: withoutFormats(metadata.nonGeographic),
  };
  const fields = Object.keys(plans).map((name) => `get ${name}() { return read().${name}; }`);
  return {
    contents:
      `const text = ${JSON.stringify(JSON.stringify(plans))};` +
      "let plans; const read = () => (plans ??= JSON.parse(text));" +
      `export default { ${fields.join(", ")} };`,
  };
}

/** @throws Error where the formats are not where they were */
function withoutFormats(plans: Plans): Plans {
  return Object.fromEntries(
    Object.entries(plans).map(([country, plan]) => {
      const formats = plan[FORMATS];
      if (formats !== 0 && !Array.isArray(formats)) throw new Error(`${country} has no formats`);
      return [country, plan.with(FORMATS, 0)];
    }),
  );
}
