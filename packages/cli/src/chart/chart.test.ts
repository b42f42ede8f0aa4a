import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ForecastChart, renderChart } from './chart.ts';
import { wantsColor } from './color.ts';

const months = (from: number, count: number): string[] =>
  Array.from({ length: count }, (_, i) => {
    const [year, month] = [2015 + Math.floor((from + i) / 12), ((from + i) % 12) + 1];
    return `${year}-${String(month).padStart(2, '0')}-01`;
  });

/** Noise that is the same on every run. */
const wobble = (i: number): number => Math.sin(i * 12.9898) * 1.5 + Math.sin(i * 4.1) * 0.8;
const season = (i: number): number => 100 + i * 0.5 + 12 * Math.sin((i / 12) * 2 * Math.PI);

const range = <T>(count: number, at: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => at(i));

const sales = (overrides: Partial<ForecastChart> = {}): ForecastChart => ({
  title: 'sales: the next 12 months',
  history: { timestamps: months(0, 48), values: range(48, (i) => season(i) + wobble(i)) },
  forecast: {
    timestamps: months(48, 12),
    median: range(12, (i) => season(48 + i)),
    lower: range(12, (i) => season(48 + i) - 3 - i * 0.6),
    upper: range(12, (i) => season(48 + i) + 3 + i * 0.6),
  },
  ...overrides,
});

const print = (...args: Parameters<typeof renderChart>): string => `\n${renderChart(...args)}\n`;

describe('renderChart', () => {
  test('trend, season and a fan', () => {
    expect(print(sales())).toMatchInlineSnapshot(`
      "
      sales: the next 12 months
      140 ┤                                                           ┊    ░░░
          │                                                           ┊   ⡠⠔⠤⡀░
          │                                                           ┊  ⢰⠁░░⠱⡀░
          │                                                ⡰⠑⠢⡀       ┊ ⢀⠇   ░⠱⡀░    ░
          │                                   ⣀          ⢠⠊   ⠱⡀      ┊⢀⠎     ░⠱⡀░░░░░
          │                                ⢀⠔⠉⠈⢆         ⡇     ⠱⡀     ┊⡜       ░⠱⡀░░⢀⠎
      120 ┤                 ⢀⠤⠒⠢⡀         ⢠⠊   ⠈⢆       ⡸       ⠱⡀    ⡠⠁        ░⠱⣀⢠⠊░
          │  ⢀⡠⢄⡀           ⡎   ⠘⡄        ⡎     ⠈⢢     ⡰⠁        ⠱⡀  ⡰⠁         ░░░⠁░░
          │  ⡎  ⠈⢢         ⡸     ⢣       ⢰⠁       ⢣   ⢠⠃          ⠱⠔⠊ ┊          ░░░░
          │ ⢰⠁    ⡇       ⢠⠃      ⢣     ⢠⠃         ⢣⣀⠔⠁               ┊
          │⢠⠃     ⠸⡀     ⢀⠇        ⠑⡄  ⢠⠃                             ┊
      100 ┤⠃       ⠱⡀    ⡜          ⠈⢆⠔⠁                              ┊
          │         ⠱⡀  ⡰⠁                                            ┊
          │          ⠑⢄⠔⠁                                             ┊
          └┬──────────────┬──────────────┬──────────────┬──────────────┬─────────────┬
           2015-01     2016-01        2017-01        2018-01        2019-01    2019-12
           ⠤⠒⠤ history ┊ ⠤⠒⠤ forecast (median)   ░░ 80 % interval
      "
    `);
  });

  test('held-out values', () => {
    const actuals = range(12, (i) => season(48 + i) + 3 * wobble(48 + i));
    expect(print(sales({ actuals }), { width: 60, height: 14 })).toMatchInlineSnapshot(`
      "
      sales: the next 12 months
      140 ┤                                           ┊  ░×░
          │                                           ┊ ××⠉×⡀
          │                                   ⡠⠢⢄     ┊×⡸  ░×⡀   ░
          │                        ⢀⠤⢄       ⡎  ⠈⢆    ┊⢰⠁   ░×⡀░░×
      120 ┤             ⣀⠤⢆       ⡰⠁ ⠈⢆     ⢸    ⠈⢆   ⢠⠃     ░⢣░⡠⠃
          │  ⡤⠢⡀       ⡰⠁ ⠘⡄     ⡰⠁   ⠘⡄   ⢠⠃     ⠘⡄⢀⡠⠃       ×××░
          │ ⡜  ⠘⡄     ⢰⠁   ⠘⡄   ⢠⠃     ⠈⢆ ⡔⠁       ⠈⠁ ┊        ░░
          │⡰⠁   ⠱⡀   ⢀⠇     ⠈⢆ ⢠⠃        ⠉            ┊
      100 ┤⠁     ⠱⡀ ⢀⠎        ⠑⠁                      ┊
          │       ⠑⢄⠎                                 ┊
          └┬─────────────────────┬──────────┬────────────────────┬
           2015-01            2017-01    2018-01           2019-12
           ⠤⠒⠤ history ┊ ⠤⠒⠤ forecast   ░░ 80 %   × actual
      "
    `);
  });

  test('a narrow terminal', () => {
    expect(print(sales(), { width: 10, height: 3 })).toMatchInlineSnapshot(`
      "
      sales: the next 12 months
      140 ┤                       ⡀   ┊⢀⠤⠢⡀
      120 ┤        ⣀⣀    ⢀⠤⠒⡄   ⡰⠉⠈⠢⡀ ⢀⠎  ⠈⢆░⡰
          │⢠⠋⠉⢢   ⡰⠁ ⠱⡀ ⢀⠎  ⠈⢢⣀⠔⠁   ⠑⠒⠁     ⠉
      100 ┤⠁   ⠣⣀⠔⠁   ⠈⠒⠁             ┊
          └┬─────────────┬───────────────────┬
           2015-01    2017-01          2019-12
           ⠤ history ┊ ⠤ forecast  ░ 80 %
      "
    `);
  });

  test('gaps stay gaps', () => {
    const values = range(48, (i) => (i % 11 < 3 ? Number.NaN : season(i)));
    const history = { timestamps: months(0, 48), values };
    expect(print({ title: 'gaps', history }, { width: 60, height: 12 })).toMatchInlineSnapshot(`
      "
      gaps
          │                                            ⡔⠉⠒⡄
          │                              ⡤⠒⠤⡀        ⢀⠜   ⠈⢆
      120 ┤                ⣀⠤⠤⡀         ⠜   ⠑⢄      ⢀⠎     ⠈⢆    ⢀
          │   ⠠⣀              ⠱⡀             ⠈⢢             ⠈⠂
          │     ⠑⡄             ⠘⢄              ⢣
          │      ⠘⡄             ⠈⢆              ⠃
      100 ┤       ⠘⡄             ⠈⠒⠤
          │        ⠈⠢⣀⠔
          └┬─────────────┬─────────────┬────────────┬────────────┬
           2015-01    2016-01       2017-01      2018-01   2018-12
           ⠤⠒⠤ history
      "
    `);
  });

  test('a constant series', () => {
    const history = { timestamps: months(0, 12), values: range(12, () => 5) };
    expect(print({ title: 'constant', history }, { width: 40, height: 9 })).toMatchInlineSnapshot(`
      "
      constant
      5.5 ┤
          │
      5.0 ┤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤⠤
          │
      4.5 ┤
          └┬──────────────┬──────────────────┬
           2015-01     2015-06         2015-12
           ⠤⠒⠤ history
      "
    `);
  });

  test('one point', () => {
    const history = { timestamps: ['2024-01-01'], values: [3] };
    expect(print({ title: 'one point', history }, { width: 40, height: 9 })).toMatchInlineSnapshot(`
      "
      one point
      3.2 ┤
          │
      3.0 ┤⠄
          │
      2.8 ┤
          └┬──────────────────────────────────
           2024-01-01
           ⠤⠒⠤ history
      "
    `);
  });

  test('one value and a step', () => {
    const history = { timestamps: ['1'], values: [3] };
    const forecast = { timestamps: ['2'], median: [4], lower: [3], upper: [5] };
    expect(
      print({ title: 'step', history, forecast }, { width: 40, height: 9 }),
    ).toMatchInlineSnapshot(`
      "
      step
      5 ┤┊                               ░░░░░
        │┊                        ░░░░░░░░░░░░
      4 ┤┊                ░░░░░░░░░░░░░⢀⣀⣀⣀⡠⠤⠤
        │┊        ░░░░░⢀⣀⣀⣀⡠⠤⠤⠤⠔⠒⠒⠒⠊⠉⠉⠉⠁░░░░░░
      3 ┤⡀⣀⡠⠤⠤⠤⠔⠒⠒⠒⠊⠉⠉⠉⠁░░░░░░░░░░░░░░░░░░░░░░
        └┬───────────────────────────────────┬
         1                                   2
         ⠤⠒⠤ history ┊ ⠤⠒⠤ forecast   ░░ 80 %
      "
    `);
  });

  test('colours mark the roles; without them not an escape is written', () => {
    const colored = renderChart(sales(), { width: 40, height: 8, color: true });
    const plain = renderChart(sales(), { width: 40, height: 8 });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escapes of colours
    const stripped = colored.replace(/\x1b\[\d+m/g, '');
    expect(stripped).toBe(plain);
    expect(plain).not.toContain('\x1b');
    expect(colored.split('\n')[2]).toMatchInlineSnapshot(
      `"[90m120 ┤[39m        [36m⣀⣀[39m    [36m⢀⠤⠒⡄[39m   [36m⡰⠉⠈⠢⡀[39m [36m⢀[39m[1m[35m⠎[39m[22m  [1m[35m⠈⢆[39m[22m[35m░[39m[1m[35m⡰[39m[22m"`,
    );
  });

  test('a title cannot steer the terminal', () => {
    const first = renderChart(sales({ title: 'a\x1b[31m\nb'.padEnd(99, '.') })).split('\n')[0]!;
    expect(first).toBe(`a?[31m?b${'.'.repeat(71)}…`);
  });

  test('a very wide interval is cut off, so that the history can be seen', () => {
    const chart = sales();
    const forecast = {
      ...chart.forecast!,
      lower: range(12, () => -1e6),
      upper: range(12, () => 1e6),
    };
    const lines = renderChart({ ...chart, forecast }, { height: 12 }).split('\n');
    const rows = lines.filter((line) => /[⠁-⣿]/.test(line.slice(0, 60)) && /[│┤]/.test(line));
    expect(rows.length).toBeGreaterThanOrEqual(2);
  });

  const value = fc.oneof(
    fc.double(),
    fc.double({ min: -1e3, max: 1e3, noNaN: true }),
    fc.constantFrom(Number.NaN, 0, 1e300, -1e300, 5e-324),
  );

  test('every chart has the asked size', () => {
    fc.assert(
      fc.property(
        fc.array(value, { minLength: 1, maxLength: 80 }),
        fc.array(value, { maxLength: 40 }),
        fc.integer({ min: 40, max: 130 }),
        fc.integer({ min: 8, max: 40 }),
        (past, median, width, height) => {
          const chart: ForecastChart = {
            title: 'x',
            history: { timestamps: months(0, past.length), values: past },
            forecast: {
              timestamps: months(past.length, median.length),
              median,
              lower: median.map((v) => v - 1),
              upper: median.map((v) => v + 1),
            },
            actuals: median,
          };
          const lines = renderChart(chart, { width, height }).split('\n');
          expect(lines).toHaveLength(height);
          for (const line of lines) expect(line.length).toBeLessThanOrEqual(width);
          expect(lines.join('')).not.toMatch(/NaN|Infinity|undefined/);
        },
      ),
      { numRuns: 200 },
    );
  });
});

test.each([
  [{ isTTY: true }, {}, true],
  [{ isTTY: false }, {}, false],
  [{}, {}, false],
  [{ isTTY: true }, { NO_COLOR: '1' }, false],
  [{ isTTY: true }, { NO_COLOR: '' }, true],
  [{ isTTY: true }, { TERM: 'dumb' }, false],
  [{ isTTY: false }, { FORCE_COLOR: '1' }, true],
  [{ isTTY: false }, { FORCE_COLOR: '1', NO_COLOR: '1' }, false],
])('colours for %j with %j: %s', (stream, env, expected) => {
  expect(wantsColor(stream, env)).toBe(expected);
});
