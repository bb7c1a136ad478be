import { readFileSync } from "node:fs";
import type * as z from "zod";
import { createDocument, type ZodOpenApiObject } from "zod-openapi";
import { description as admin } from "../functions/admin/openapi.ts";
import { description as mesago } from "../functions/mesago/openapi.ts";
import { description as wavy } from "../functions/wavy/openapi.ts";

/** What each capability says of its own operations. */
export const DESCRIPTIONS: readonly Partial<ZodOpenApiObject>[] = [mesago, wavy, admin];

/** Classes of Unicode, which most languages have no name for in their regular expressions. */
const UNPORTABLE = /\\p\{/i;

/** What a schema says of a text that its pattern does not match. */
const complaintOf = (schema: z.core.$ZodType) =>
  (schema as z.ZodType).safeParse("").error?.issues.find(({ code }) => code === "invalid_format")
    ?.message;

const asSentence = (words: string) => `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;

/** Says patterns in words, at the end of what is said of the text that they are of. */
function inWords(part: unknown, words: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(part)) return part.map((element) => inWords(element, words));
  if (typeof part !== "object" || part === null) return part;
  const { pattern, description, ...rest } = part as Record<string, unknown>;
  const said = typeof pattern === "string" ? words.get(pattern) : undefined;
  if (said === undefined) {
    return Object.fromEntries(
      Object.entries(part).map(([name, value]) => [name, inWords(value, words)]),
    );
  }
  return { ...rest, description: [description, said].filter(Boolean).join(" ") };
}

/** The OpenAPI document of all APIs, but for where they are: that is filled in where it is served. */
export function createOpenApiDocument() {
  const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
  const words = new Map<string, string>();
  const document = createDocument(
    {
      openapi: "3.1.0",
      info: {
        title: "Torpedo",
        version,
        description: "An SMS gateway that speaks the Brazilian SMS APIs.",
        license: { name: "MIT", identifier: "MIT" },
      },
      tags: DESCRIPTIONS.flatMap(({ tags = [] }) => tags),
      paths: Object.assign({}, ...DESCRIPTIONS.map(({ paths }) => paths)),
      components: {
        securitySchemes: Object.assign(
          {},
          ...DESCRIPTIONS.map(({ components }) => components?.securitySchemes),
        ),
      },
    },
    {
      // A list of hours is looked at by hand first, so that a million of them cost nothing.
      allowEmptySchema: { custom: true },
      override: ({ jsonSchema, zodSchema, io }) => {
        const { pattern } = jsonSchema;
        if (pattern !== undefined && UNPORTABLE.test(pattern)) {
          words.set(pattern, asSentence(complaintOf(zodSchema) ?? "Some texts only"));
        }
        // Answers may grow: a client that refuses fields it does not know would break.
        if (io === "output" && jsonSchema.additionalProperties === false) {
          delete jsonSchema.additionalProperties;
        }
        // Zod's limits of whole numbers are those of JavaScript; generated clients need room for them.
        if (jsonSchema.type !== "integer") return;
        if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) {
          delete jsonSchema.maximum;
          jsonSchema.format = "int64";
        }
        if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
      },
    },
  );
  return inWords(document, words) as typeof document;
}
