import { rmSync } from "node:fs";
import { Bucket } from "aws-cdk-lib/aws-s3";
import { expect, test } from "vitest";
import { STAGES } from "../../lib/stage.ts";
import { EVERY_CARRIER } from "./every-carrier.ts";
import { createApp, synthesise } from "./synth.ts";

test.each(Object.keys(STAGES))("%s is clean of cdk-nag's AwsSolutions findings", (stage) => {
  expect(synthesise(stage).validationReports).toEqual([]);
});

test("carriers of every kind are clean of cdk-nag's AwsSolutions findings", () => {
  expect(synthesise("prod", EVERY_CARRIER).validationReports).toEqual([]);
});

test("what is not clean is not synthesised", () => {
  const { app, outdir, torpedo } = createApp("dev");
  new Bucket(torpedo, "Untidy");
  try {
    expect(() => app.synth()).toThrow(/Torpedo\/Untidy.*AwsSolutions-S10/s);
  } finally {
    rmSync(outdir, { recursive: true, force: true });
  }
});
