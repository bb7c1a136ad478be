import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { STAGES } from "../../lib/stage.ts";
import { CFN_LINT_VERSION, type Finding, findPython, installCfnLint, lint } from "./cfn-lint.ts";
import { EVERY_CARRIER } from "./every-carrier.ts";
import { at, synthesise } from "./synth.ts";

/** A template with a mistake in it, so that a linter that finds nothing at all is noticed. */
const BAD_TEMPLATE = {
  Resources: { Queue: { Type: "AWS::SQS::Queue", Properties: { VisibilityTimeout: "a while" } } },
};

/**
 * CDK writes it for every function that has a role: the function waits for the role, which a
 * reference says as well, and for the role's policies, which nothing else says.
 */
function isDependencyOfFunctionOnItsRole(finding: Finding, template: unknown): boolean {
  const [section, logicalId, attribute] = finding.path;
  return (
    finding.rule === "W3005" &&
    section === "Resources" &&
    attribute === "DependsOn" &&
    at(template, "Resources", logicalId ?? "", "Type") === "AWS::Lambda::Function"
  );
}

const python = findPython();

// Whoever has a Python that is too old, or one without venv, is told so by a failure: it is only
// a machine without any Python on which there is nothing to be done.
describe.skipIf(python.kind === "none")(
  `cfn-lint ${CFN_LINT_VERSION}${python.kind === "none" ? " (skipped: there is no Python here)" : ""}`,
  () => {
    const directory = mkdtempSync(join(tmpdir(), "torpedo-templates-"));
    const stages = [
      ...Object.keys(STAGES).map((stage) => [stage, synthesise(stage)] as const),
      ["every-carrier", synthesise("prod", EVERY_CARRIER)] as const,
    ];
    const templates = stages.flatMap(([stage, synthesis]) =>
      Object.entries(synthesis.templates).map(([file, template]) => ({
        file: `${stage}-${file}`,
        template: template as unknown,
      })),
    );
    let findings: Finding[] = [];

    beforeAll(() => {
      const files = [...templates, { file: "bad.template.json", template: BAD_TEMPLATE }].map(
        ({ file, template }) => {
          const path = join(directory, file);
          writeFileSync(path, JSON.stringify(template));
          return path;
        },
      );
      findings = lint(installCfnLint(python), files, ["us-east-1", "sa-east-1"]);
    }, 300_000);

    afterAll(() => rmSync(directory, { recursive: true, force: true }));

    const findingsOf = (file: string) => findings.filter((it) => basename(it.file) === file);

    test.each(templates)("$file is clean", ({ file, template }) => {
      const ours = findingsOf(file).filter((it) => !isDependencyOfFunctionOnItsRole(it, template));
      expect(ours).toEqual([]);
    });

    test("a mistake is found", () => {
      expect(findingsOf("bad.template.json").map(({ rule }) => rule)).toContain("E3012");
    });
  },
);
