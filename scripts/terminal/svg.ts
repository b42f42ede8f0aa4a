/** A terminal's screen as SVG: each character stands in its cell, whatever font shows it. */
import type { Cell, Style } from './screen.ts';

const CELL_WIDTH = 8.4;
const LINE_HEIGHT = 18;
const PADDING = 16;
const BAR_HEIGHT = 32;

const PALETTE: Readonly<Record<string, string>> = {
  black: '#484f58',
  red: '#ff7b72',
  green: '#56d364',
  yellow: '#e3b341',
  blue: '#79c0ff',
  magenta: '#d2a8ff',
  cyan: '#56d4dd',
  white: '#c9d1d9',
  'bright-black': '#8b949e',
};
const FOREGROUND = '#c9d1d9';

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

const number = (value: number): string => String(Math.round(value * 10) / 10);

const attributes = ({ color, isBold, isDim }: Style): string =>
  [
    ` fill="${(color && PALETTE[color]) ?? FOREGROUND}"`,
    isBold ? ' font-weight="bold"' : '',
    isDim ? ' opacity="0.6"' : '',
  ].join('');

const sameStyle = (a: Style, b: Style): boolean =>
  a.color === b.color && a.isBold === b.isBold && a.isDim === b.isDim;

/** Neighbours of one style, without the spaces around them. */
const runsOf = (line: readonly Cell[]): { start: number; cells: readonly Cell[] }[] => {
  const runs: { start: number; cells: Cell[] }[] = [];
  line.forEach((cell, at) => {
    const last = runs.at(-1);
    const isNext = last !== undefined && last.start + last.cells.length === at;
    if (cell.text === ' ' && !(isNext && line[at + 1]?.text.trim())) return;
    if (isNext && sameStyle(last.cells[0]!, cell)) last.cells.push(cell);
    else if (cell.text !== ' ') runs.push({ start: at, cells: [cell] });
  });
  return runs;
};

const runText = (start: number, cells: readonly Cell[], y: number): string => {
  const text = cells.map((cell) => cell.text).join('');
  const x = (at: number): string => number(PADDING + at * CELL_WIDTH);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range of ASCII
  const isAscii = /^[\x00-\x7f]*$/.test(text);
  const place = isAscii
    ? `x="${x(start)}" textLength="${number(cells.length * CELL_WIDTH)}"`
    : `x="${cells.map((_, i) => x(start + i)).join(' ')}"`;
  return `<text ${place} y="${number(y)}"${attributes(cells[0]!)}>${escaped(text)}</text>`;
};

const windowBar = (width: number, title: string): string =>
  [
    ['#ff5f57', 0],
    ['#febc2e', 20],
    ['#28c840', 40],
  ]
    .map(([fill, x]) => `<circle cx="${PADDING + 6 + Number(x)}" cy="18" r="6" fill="${fill}"/>`)
    .join('') +
  `<text x="${width / 2}" y="22" text-anchor="middle" fill="#8b949e">${escaped(title)}</text>`;

/** The picture of a screen of `columns` characters across. */
export const terminalSvg = (
  lines: readonly (readonly Cell[])[],
  { columns, title }: { readonly columns: number; readonly title: string },
): string => {
  const width = Math.ceil(2 * PADDING + columns * CELL_WIDTH);
  const height = BAR_HEIGHT + 2 * PADDING + lines.length * LINE_HEIGHT;
  const body = lines.flatMap((line, row) =>
    runsOf(line).map(({ start, cells }) =>
      runText(start, cells, BAR_HEIGHT + PADDING + (row + 0.75) * LINE_HEIGHT),
    ),
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escaped(title)}">
<rect width="${width}" height="${height}" rx="8" fill="#0d1117"/>
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14" xml:space="preserve">
${windowBar(width, title)}
${body.join('\n')}
</g>
</svg>
`;
};
