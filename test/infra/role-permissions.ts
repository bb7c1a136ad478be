import { expect } from "vitest";
import { asList, at, referenceOf, statementsOf, type Template, withoutHash } from "./synth.ts";

/** What a role may do: the resources of each action. */
export type Permissions = Record<string, string[]>;

/** A resource by its name; of what is put together, names are in braces. */
export function describeResource(value: unknown): string {
  if (typeof value === "string") return value;
  const parts = at(value, "Fn::Join", 1);
  if (Array.isArray(parts)) return parts.map(describePart).join("");
  const attribute = at(value, "Fn::GetAtt", 1);
  const name = withoutHash(referenceOf(value) ?? JSON.stringify(value));
  return attribute === "Arn" || attribute === undefined ? name : `${name}.${attribute}`;
}

const describePart = (part: unknown) =>
  typeof part === "string" ? part : `{${withoutHash(referenceOf(part) ?? JSON.stringify(part))}}`;

/** What a role may do, by the policies of the template. */
export function permissionsOf(template: Template, roleId: string): Permissions {
  const permissions = new Map<string, Set<string>>();
  for (const statement of statementsOf(template, roleId)) {
    expect(statement).toHaveProperty("Effect", "Allow");
    for (const negated of ["NotAction", "NotResource"]) {
      expect(statement).not.toHaveProperty(negated);
    }
    const condition = at(statement, "Condition");
    const wanted = at(condition, "StringEquals") ?? at(condition, "ForAllValues:StringLike");
    const unwanted = at(condition, "ForAllValues:StringNotLike");
    const suffix = condition
      ? ` if ${unwanted ? "not " : ""}${JSON.stringify(unwanted ?? wanted)}`
      : "";
    for (const action of asList(at(statement, "Action"))) {
      const resources = asList(at(statement, "Resource")).map(
        (resource) => `${describeResource(resource)}${suffix}`,
      );
      const known = permissions.get(String(action)) ?? [];
      permissions.set(String(action), new Set([...known, ...resources]));
    }
  }
  return Object.fromEntries(
    [...permissions].map(([action, resources]) => [action, [...resources].sort()]),
  );
}
