import { expect, test } from "vitest";
import { jsonBesideBundle } from "../../../functions/runtime/bundled-file.ts";

test("a file beside the bundle is read when it is asked for, once", () => {
  const read = jsonBesideBundle("../../package.json");
  expect(read()).toMatchObject({ name: "torpedo" });
  expect(read()).toBe(read());
});

test("a file that is not there is missed when it is asked for, and not before", () => {
  const read = jsonBesideBundle("none.json");
  expect(read).toThrow("ENOENT");
});
