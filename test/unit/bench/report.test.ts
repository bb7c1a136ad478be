import { parseXml, XmlElement } from "@rgrove/parse-xml";
import { describe, expect, test } from "vitest";
import { goalsOf, isMet } from "../../bench/goals.ts";
import { svgOf } from "../../bench/report/charts.ts";
import { describeGoals } from "../../bench/report/closing.ts";
import { costChart, cpuChart, performancePage } from "../../bench/report/performance-page.ts";
import { describeMeasurement } from "../../bench/report/terminal.ts";
import { textTable } from "../../bench/report/text-table.ts";
import { sampleMeasurement, sampleResults } from "./samples.ts";

function elementsOf(svg: string): XmlElement[] {
  const all: XmlElement[] = [];
  const look = (element: XmlElement) => {
    all.push(element);
    for (const child of element.children) if (child instanceof XmlElement) look(child);
  };
  const { root } = parseXml(svg);
  if (root) look(root);
  return all;
}

describe("goals", () => {
  const goals = goalsOf(sampleResults());
  const goal = (what: string) => goals.find((it) => it.what.includes(what));

  test("are met or not, by what was measured", () => {
    expect(goal("CPU a bulk message, accept")).toMatchObject({ measured: 1.2, goal: 1 });
    expect(goal("CPU a bulk message ÷")?.measured).toBeCloseTo(1.2 / 0.9);
    expect(goal("handed to the carrier")).toMatchObject({ measured: 0.08 });
    expect(goal("final callback posted")).toMatchObject({ measured: 1 });
    expect(goal("a million bulk messages")?.measured).toBeCloseTo(5.101);
    expect(goal("log bytes a bulk message")).toMatchObject({ measured: 310 });
    expect(goal("cold start")?.measured).toBeCloseTo(1.2);
    expect(goal("largest bundle")).toMatchObject({ measured: 590 });
    expect(goal("growth of CPU")?.measured).toBeCloseTo(2);
    expect(goals.map(isMet)).toEqual([
      false,
      false,
      undefined,
      undefined,
      true,
      false,
      true,
      undefined,
      true,
      undefined,
      true,
      true,
      true,
      true,
    ]);
  });

  test("that are missed are told with what they are made of", () => {
    const told = describeGoals(sampleResults());
    expect(told).toContain("callback: dynamodb.UpdateItem 1.0000");
  });

  test("are shown beside those of another time", () => {
    const earlier = sampleResults({ workloads: [] });
    expect(describeGoals(sampleResults(), earlier)).toContain("before");
  });
});

describe("what is shown", () => {
  test("is a table whose columns are aligned", () => {
    expect(textTable(["a", "number"], [["long name", "1"]])).toBe(
      ["a          number", "─────────────────", "long name       1"].join("\n"),
    );
  });

  test("has each function, stage and service", () => {
    const shown = describeMeasurement(sampleMeasurement(), sampleMeasurement());
    for (const name of [
      "dispatch-bulk",
      "callback",
      "BatchExecuteStatement",
      "EventBridge",
      "before",
    ]) {
      expect(shown).toContain(name);
    }
  });

  test("is a page with the same figures", () => {
    const page = performancePage(sampleResults());
    expect(page).toMatch(
      /\| CPU a bulk message, accept → receipt → callback \| ≤ 1.00 ms \| 1.20 ms \| no \|/,
    );
    expect(page).toContain("## Growth");
    expect(page).toContain("## Cold starts and bundles");
    expect(page).not.toMatch(/NaN|undefined/);
  });
});

describe("a chart", () => {
  const bars = [
    { label: "one <of> them", parts: { a: 1, b: 3 }, mark: 2 },
    { label: "another", parts: { b: 1 } },
  ];
  const elements = elementsOf(
    svgOf({ title: "A & B", unit: "ms", digits: 1, bars, names: ["a", "b"], markName: "floor" }),
  );
  const pieces = elements.filter(({ name, children }) => name === "rect" && children.length > 0);

  test("has a piece for each part, as wide as it is large, one behind the other", () => {
    const [a, b, other] = pieces.map(({ attributes: { x, width } }) => ({
      left: Number(x),
      width: Number(width),
    }));
    expect(pieces).toHaveLength(3);
    expect(b?.width).toBeCloseTo(3 * (a?.width ?? 0), 0);
    expect(b?.left).toBeCloseTo((a?.left ?? 0) + (a?.width ?? 0), 0);
    expect(other?.width).toBeCloseTo(a?.width ?? 0, 0);
  });

  test("stays within its picture", () => {
    const width = Number(elements[0]?.attributes.width);
    for (const { attributes } of pieces) {
      expect(Number(attributes.x) + Number(attributes.width)).toBeLessThan(width);
    }
  });

  test("is made of each measurement", () => {
    for (const chart of [costChart(sampleResults()), cpuChart(sampleResults())]) {
      expect(elementsOf(svgOf(chart)).length).toBeGreaterThan(20);
    }
  });
});
