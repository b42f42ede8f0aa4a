/** Plots as SVG text: no script, no asset from elsewhere. */

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Line {
  readonly label: string;
  readonly points: readonly Point[];
  readonly isReference?: boolean;
}

const WIDTH = 460;
const HEIGHT = 300;
const MARGIN = { left: 48, right: 12, top: 28, bottom: 40 } as const;
const COLORS = [
  '#2f6fdb',
  '#d9572b',
  '#2a9d6f',
  '#8a4fd0',
  '#c2991f',
  '#c23b78',
  '#3a8ea5',
  '#6b7280',
];

/** Text with the characters of markup written out. */
export const escapeText = (text: string): string =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');

/** A color of the palette, which begins anew at its end. */
const colorOf = (index: number): string => COLORS[index % COLORS.length]!;

const round = (value: number): string => String(Math.round(value * 100) / 100);

interface Scale {
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
}

const scaleOf = (xMax: number, yMax: number): Scale => ({
  x: (value) => MARGIN.left + (value / xMax) * (WIDTH - MARGIN.left - MARGIN.right),
  y: (value) => HEIGHT - MARGIN.bottom - (value / yMax) * (HEIGHT - MARGIN.top - MARGIN.bottom),
});

const ticks = (most: number, count = 5): number[] =>
  Array.from({ length: count + 1 }, (_, i) => (most * i) / count);

const axes = (scale: Scale, xMax: number, yMax: number, labels: readonly [string, string]) => [
  ...ticks(yMax).map((value) => {
    const y = round(scale.y(value));
    return `<line class="grid" x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${y}" y2="${y}"/><text class="tick" x="${MARGIN.left - 6}" y="${y}" text-anchor="end" dominant-baseline="middle">${Number(value.toPrecision(3))}</text>`;
  }),
  ...ticks(xMax).map(
    (value) =>
      `<text class="tick" x="${round(scale.x(value))}" y="${HEIGHT - MARGIN.bottom + 16}" text-anchor="middle">${Number(value.toPrecision(3))}</text>`,
  ),
  `<text class="axis" x="${(WIDTH + MARGIN.left) / 2}" y="${HEIGHT - 6}" text-anchor="middle">${escapeText(labels[0])}</text>`,
  `<text class="axis" transform="translate(12 ${HEIGHT / 2}) rotate(-90)" text-anchor="middle">${escapeText(labels[1])}</text>`,
];

const frame = (title: string, height: number, parts: readonly string[]): string =>
  `<svg viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escapeText(title)}"><text class="title" x="8" y="16">${escapeText(title)}</text>${parts.join('')}</svg>`;

const legend = (lines: readonly Line[]): string[] =>
  lines.map(
    ({ label }, i) =>
      `<rect x="${MARGIN.left + 8}" y="${MARGIN.top + 4 + 15 * i}" width="10" height="3" fill="${colorOf(i)}"/><text class="tick" x="${MARGIN.left + 24}" y="${MARGIN.top + 9 + 15 * i}">${escapeText(label)}</text>`,
  );

/** Lines over [0, 1] x [0, 1] with the diagonal: nominal levels against what they covered. */
export const calibrationPlot = (title: string, lines: readonly Line[]): string => {
  const scale = scaleOf(1, 1);
  const path = (points: readonly Point[]): string =>
    points
      .map(({ x, y }, i) => `${i ? 'L' : 'M'}${round(scale.x(x))} ${round(scale.y(y))}`)
      .join('');
  return frame(title, HEIGHT, [
    ...axes(scale, 1, 1, ['quantile level', 'share of values below']),
    `<path class="reference" d="${path([
      { x: 0, y: 0 },
      { x: 1, y: 1 },
    ])}"/>`,
    ...lines.map(
      ({ points }, i) =>
        `<path fill="none" stroke="${colorOf(i)}" stroke-width="2" d="${path(points)}"/>`,
    ),
    ...legend(lines),
  ]);
};

/** Bars side by side over equal bins of the probability integral transform; flat at 1 is calibrated. */
export const pitPlot = (
  title: string,
  models: readonly { readonly label: string; readonly densities: readonly number[] }[],
): string => {
  const bins = models[0]?.densities.length ?? 0;
  const most = Math.max(2, ...models.flatMap(({ densities }) => densities).filter(Number.isFinite));
  const scale = scaleOf(1, most);
  const width = (scale.x(1) - scale.x(0)) / bins;
  const own = (width * 0.9) / Math.max(1, models.length);
  const bars = models.flatMap(({ densities }, m) =>
    densities.map((density, bin) => {
      const top = scale.y(Number.isFinite(density) ? density : 0);
      const x = scale.x(bin / bins) + width * 0.05 + m * own;
      return `<rect x="${round(x)}" y="${round(top)}" width="${round(own)}" height="${round(scale.y(0) - top)}" fill="${colorOf(m)}"/>`;
    }),
  );
  const level = round(scale.y(1));
  return frame(title, HEIGHT, [
    ...axes(scale, 1, most, ['probability of the value under the forecast', 'density']),
    ...bars,
    `<line class="reference" x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${level}" y2="${level}"/>`,
    ...legend(models.map(({ label }) => ({ label, points: [] }))),
  ]);
};

const ROW = 18;

/** A dot for each model and row; 1 is the baseline. */
export const relativePlot = (
  title: string,
  rows: readonly { readonly label: string; readonly values: readonly number[] }[],
  models: readonly string[],
): string => {
  const height = MARGIN.top + ROW * (rows.length + models.length) + MARGIN.bottom;
  const most = Math.max(1.2, ...rows.flatMap(({ values }) => values).filter(Number.isFinite));
  const left = 190;
  const x = (value: number): number => left + (value / most) * (WIDTH - left - MARGIN.right);
  const bottom = MARGIN.top + ROW * rows.length;
  const lines = rows.flatMap(({ label, values }, r) => {
    const y = MARGIN.top + ROW * (r + 0.5);
    const dots = values.map((value, m) =>
      Number.isFinite(value)
        ? `<circle cx="${round(x(value))}" cy="${y}" r="4" fill="${colorOf(m)}"><title>${escapeText(models[m]!)} ${Number(value.toPrecision(4))}</title></circle>`
        : '',
    );
    return [
      `<text class="tick" x="${left - 8}" y="${y}" text-anchor="end" dominant-baseline="middle">${escapeText(label)}</text><line class="grid" x1="${left}" x2="${WIDTH - MARGIN.right}" y1="${y}" y2="${y}"/>`,
      ...dots,
    ];
  });
  return frame(title, height, [
    ...lines,
    `<line class="reference" x1="${round(x(1))}" x2="${round(x(1))}" y1="${MARGIN.top}" y2="${bottom}"/>`,
    ...ticks(most, 4).map(
      (value) =>
        `<text class="tick" x="${round(x(value))}" y="${bottom + 14}" text-anchor="middle">${Number(value.toPrecision(2))}</text>`,
    ),
    ...models.map(
      (model, m) =>
        `<circle cx="${left}" cy="${bottom + 30 + ROW * m}" r="4" fill="${colorOf(m)}"/><text class="tick" x="${left + 10}" y="${bottom + 30 + ROW * m}" dominant-baseline="middle">${escapeText(model)}</text>`,
    ),
  ]);
};
