/** A bar of a chart: what it is made of, and a mark to compare it with. */
export interface Bar {
  readonly label: string;
  readonly parts: Readonly<Record<string, number>>;
  readonly mark?: number | undefined;
}

/** A chart of stacked bars, each a row. */
export interface Chart {
  readonly title: string;
  readonly unit: string;
  readonly digits: number;
  readonly bars: readonly Bar[];
  /** What the parts are called, in the order in which they are stacked. */
  readonly names: readonly string[];
  /** What the marks are. */
  readonly markName?: string;
}

/** Told apart on a white and on a dark ground, also by those who see fewer colours. */
const COLOURS = [
  "#4477aa",
  "#ee6677",
  "#228833",
  "#ccbb44",
  "#66ccee",
  "#aa3377",
  "#999999",
  "#ee8866",
  "#44bb99",
  "#bbcc33",
];

const WIDTH = 860;
const LABEL_WIDTH = 200;
const VALUE_WIDTH = 70;
const BAR_HEIGHT = 22;
const ROW_HEIGHT = 34;
const TITLE_HEIGHT = 46;
const LEGEND_ROW_HEIGHT = 22;
const LEGEND_COLUMNS = 4;
const AXIS_HEIGHT = 26;
const TICKS = 5;
const MARGIN = 16;

/** A chart as an SVG picture. */
export function svgOf(chart: Chart): string {
  const { title, unit, bars, names, markName } = chart;
  const legend = markName === undefined ? names : [...names, markName];
  const legendHeight = Math.ceil(legend.length / LEGEND_COLUMNS) * LEGEND_ROW_HEIGHT;
  const top = TITLE_HEIGHT + legendHeight;
  const bottom = top + bars.length * ROW_HEIGHT;
  const height = bottom + AXIS_HEIGHT + MARGIN;
  const step = stepOf(Math.max(...bars.map((bar) => Math.max(totalOf(bar), bar.mark ?? 0))));
  const ticks = Array.from({ length: TICKS + 1 }, (_, index) => index * step);
  const plotWidth = WIDTH - LABEL_WIDTH - VALUE_WIDTH - MARGIN;
  const x = (value: number) => LABEL_WIDTH + (value / (TICKS * step)) * plotWidth;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escaped(title)}">`,
    STYLE,
    `<rect class="ground" width="${WIDTH}" height="${height}" rx="6"/>`,
    text(MARGIN, 28, title, 'class="title"'),
    ...legend.map((name, index) => legendEntry(name, index, name === markName)),
    ...ticks.flatMap((value) => [
      `<line class="grid" x1="${at(x(value))}" x2="${at(x(value))}" y1="${top}" y2="${bottom}"/>`,
      text(x(value), bottom + 18, `${numberOf(value)}`, 'class="axis" text-anchor="middle"'),
    ]),
    text(WIDTH - MARGIN, bottom + 18, unit, 'class="axis" text-anchor="end"'),
    ...bars.flatMap((bar, row) => barOf(chart, bar, top + row * ROW_HEIGHT, x)),
    "</svg>",
    "",
  ].join("\n");
}

/** What a browser or a viewer shows by day and by night. */
const STYLE = `<style>
.ground{fill:#ffffff}
text{font:13px system-ui,-apple-system,"Segoe UI",sans-serif;fill:#1f2328}
.title{font-size:16px;font-weight:600}
.axis{font-size:12px;fill:#59636e}
.grid{stroke:#d1d9e0;stroke-width:1}
.mark{stroke:#1f2328;stroke-width:3}
@media (prefers-color-scheme:dark){
.ground{fill:#0d1117}
text{fill:#f0f6fc}
.axis{fill:#9198a1}
.grid{stroke:#3d444d}
.mark{stroke:#f0f6fc}
}
</style>`;

const totalOf = ({ parts }: Bar) => Object.values(parts).reduce((sum, part) => sum + part, 0);

function barOf(
  { names, digits }: Chart,
  bar: Bar,
  y: number,
  x: (value: number) => number,
): string[] {
  const barTop = y + (ROW_HEIGHT - BAR_HEIGHT) / 2;
  const middle = barTop + BAR_HEIGHT / 2 + 5;
  let from = 0;
  const pieces = names.flatMap((name, index) => {
    const part = bar.parts[name] ?? 0;
    if (part <= 0) return [];
    const [left, right] = [x(from), x(from + part)];
    from += part;
    return [
      `<rect x="${at(left)}" y="${barTop}" width="${at(right - left)}" height="${BAR_HEIGHT}" fill="${colourOf(index)}"><title>${escaped(`${name}: ${part.toFixed(digits)}`)}</title></rect>`,
    ];
  });
  const mark =
    bar.mark === undefined
      ? []
      : [
          `<line class="mark" x1="${at(x(bar.mark))}" x2="${at(x(bar.mark))}" y1="${barTop - 4}" y2="${barTop + BAR_HEIGHT + 4}"/>`,
        ];
  const end = Math.max(from, bar.mark ?? 0);
  return [
    text(LABEL_WIDTH - 10, middle, bar.label, 'text-anchor="end"'),
    ...pieces,
    ...mark,
    text(x(end) + 8, middle, totalOf(bar).toFixed(digits), ""),
  ];
}

function legendEntry(name: string, index: number, isMark: boolean): string {
  const columnWidth = (WIDTH - 2 * MARGIN) / LEGEND_COLUMNS;
  const left = MARGIN + (index % LEGEND_COLUMNS) * columnWidth;
  const y = TITLE_HEIGHT + Math.floor(index / LEGEND_COLUMNS) * LEGEND_ROW_HEIGHT;
  const sign = isMark
    ? `<line class="mark" x1="${at(left + 6)}" x2="${at(left + 6)}" y1="${y - 2}" y2="${y + 14}"/>`
    : `<rect x="${at(left)}" y="${y}" width="12" height="12" fill="${colourOf(index)}"/>`;
  return sign + text(left + 18, y + 11, name, "");
}

const colourOf = (index: number) => COLOURS[index % COLOURS.length] ?? "#999999";

const text = (x: number, y: number, content: string, attributes: string) =>
  `<text x="${at(x)}" y="${at(y)}" ${attributes}>${escaped(content)}</text>`;

const at = (value: number) => String(Math.round(value * 10) / 10);

const escaped = (content: string) =>
  content.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);

const numberOf = (value: number) => String(Number(value.toPrecision(3)));

/** How far apart ticks are for the largest value to lie before the last: 1, 2 or 5 of some power of ten. */
function stepOf(largest: number): number {
  const least = (largest > 0 ? largest : 1) / TICKS;
  const power = 10 ** Math.floor(Math.log10(least));
  return power * ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= least) ?? 10);
}
