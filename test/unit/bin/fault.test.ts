import { describe, expect, it } from "vitest";
import { describeFailure, Fault, tail } from "../../../bin/local/fault.ts";

describe("describeFailure", () => {
  const fault = new Fault("Port 4566 is taken.", "Choose another one.");

  it("says what is wrong and what to do, and shows no stack trace", () => {
    expect(describeFailure(fault, false)).toBe("Port 4566 is taken.\nChoose another one.");
  });

  it("puts the detail between them, set off", () => {
    const detailed = new Fault("It failed.", "Look there.", { detail: "one\ntwo" });
    expect(describeFailure(detailed, false)).toBe("It failed.\n  one\n  two\nLook there.");
  });

  it("shows the stack traces, the cause's too, where they are asked for", () => {
    const caused = new Fault("It failed.", "Look there.", { cause: new Error("deeper") });
    const text = describeFailure(caused, true);
    expect(text).toMatch(/^It failed\.\nLook there\.\nFault: It failed\.\n\s+at /);
    expect(text).toMatch(/Error: deeper\n\s+at /);
  });

  it("tells of what nobody foresaw in one line, and how to see more", () => {
    expect(describeFailure(new TypeError("x is not y"), false)).toBe(
      "Unexpected failure: x is not y\nSet TORPEDO_DEBUG=1 to see where it comes from.",
    );
    expect(describeFailure(new TypeError("x is not y"), true)).toMatch(/TypeError.*\n\s+at /);
    expect(describeFailure("thrown text", true)).toMatch(/^Unexpected failure: thrown text\n/);
  });
});

describe("tail", () => {
  it("keeps the last lines that tell something", () => {
    const output = "first\n\u001b[31mred\u001b[0m\n\n    at f (file.js:1:2)\n  at g\nlast  \n";
    expect(tail(output, 2)).toBe("red\nlast");
    expect(tail(output, 10)).toBe("first\nred\nlast");
    expect(tail("", 3)).toBe("");
  });
});
