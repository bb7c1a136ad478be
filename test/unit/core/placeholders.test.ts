import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fillIn } from "../../../functions/core/placeholders.ts";

describe("fillIn", () => {
  it.each([
    ["Hello, {{name}}!", { name: "Bob" }, "Hello, Bob!"],
    ["{{ name }}{{\tname\n}}", { name: "Bob" }, "BobBob"],
    ["{{a}} {{b}} {{a}}", { a: "1", b: "2" }, "1 2 1"],
    ["{{first name}} {{não}}", { "first name": "Bob", não: "x" }, "Bob x"],
    ["{{a}}", { a: "" }, ""],
    ["no placeholder", {}, "no placeholder"],
    ["", {}, ""],
    ["{{constructor}} {{toString}}", { constructor: "c", toString: "t" }, "c t"],
  ])("puts values into %j", (text, params, filled) => {
    expect(fillIn(text, params)).toEqual({ text: filled, matches: true });
  });

  it("puts values in as they are, and once", () => {
    const params = { a: "{{b}} {{a}} $& $1 $$ }}", b: "B" };
    expect(fillIn("{{a}}-{{b}}", params)).toEqual({
      text: "{{b}} {{a}} $& $1 $$ }}-B",
      matches: true,
    });
  });

  it("does not make a placeholder out of a value and what stands around it", () => {
    expect(fillIn("{{{a}}{{b}}}", { a: "{b", b: "}" }).text).toBe("{{b}}");
  });

  it.each([
    ["a placeholder without value", "{{a}} {{b}}", { a: "1" }, "1 {{b}}"],
    ["no values", "{{a}}", {}, "{{a}}"],
    ["a value without placeholder", "{{a}}", { a: "1", b: "2" }, "1"],
    ["a value for a text without any", "text", { a: "1" }, "text"],
    ["other letters", "{{Name}}", { name: "Bob" }, "{{Name}}"],
    ["what every object has", "{{toString}} {{__proto__}}", {}, "{{toString}} {{__proto__}}"],
    ["a value without name", "{{}}", { "": "x" }, "{{}}"],
  ])("does not match with %s", (_, text, params, filled) => {
    expect(fillIn(text, params)).toEqual({ text: filled, matches: false });
  });

  it.each(["{a}", "{{a}", "{{a", "a}}", "{{}}", "{{ }}", "{ {a} }", "{{a{b}}"])(
    "takes %j for text",
    (text) => {
      expect(fillIn(text, {})).toEqual({ text, matches: true });
    },
  );

  it("takes the innermost braces", () => {
    expect(fillIn("{{{a}}} {{x{{a}}}}", { a: "1" })).toEqual({ text: "{1} {{x1}}", matches: true });
  });

  it("takes a value under any name", () => {
    expect(fillIn("{{__proto__}}", JSON.parse('{"__proto__":"p"}'))).toEqual({
      text: "p",
      matches: true,
    });
  });

  it("matches where each name stands in the text, whatever the values", () => {
    const name = fc.stringMatching(/^[a-z_]{1,12}$/);
    const texts = fc.array(
      fc.record({ name, before: fc.string().map((text) => text.replace(/[{}]/g, "")) }),
    );
    fc.assert(
      fc.property(texts, fc.string(), (pieces, value) => {
        const params = Object.fromEntries(pieces.map((piece) => [piece.name, value]));
        const text = pieces.map((piece) => `${piece.before}{{${piece.name}}}`).join("");
        const filled = pieces.map((piece) => `${piece.before}${value}`).join("");
        expect(fillIn(text, params)).toEqual({ text: filled, matches: true });
      }),
    );
  });

  it("leaves a text without values as it is", () => {
    const unit = fc.constantFrom("{", "{{", "}", "}}", " ", "a", "$&", "\n");
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 100 }), (text) => {
        expect(fillIn(text, {}).text).toBe(text);
      }),
    );
  });

  // With a quadratic search each of these takes longer than a test may.
  it.each(["{", "{{", "{{ ", "{{a ", "}", "{{a}", "{ {"])(
    "is done with many %j in time",
    (piece) => {
      const text = piece.repeat(500_000);
      expect(fillIn(text, { a: "1" }).text).toBe(text);
      expect(fillIn(`{{${" a".repeat(500_000)}`, {}).matches).toBe(true);
    },
  );

  it("adds no more than makes a text too long, however often a value is asked for", () => {
    const { text, matches } = fillIn("{{a}}".repeat(256), { a: "x".repeat(1_280) });
    expect(text).toBe("x".repeat(2_000));
    expect(matches).toBe(true);
  });
});
