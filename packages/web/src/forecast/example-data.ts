/** Series made up in the browser, so that the page works with nothing at hand. Each is a CSV text. */

export interface Example {
  readonly file: string;
  readonly label: string;
  readonly make: () => string;
}

/** Repeatable noise (mulberry32): the same example each time. */
const randomFrom = (seed: number): (() => number) => {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

/** Standard normal draws by the method of Box and Muller. */
const normalFrom = (seed: number): (() => number) => {
  const random = randomFrom(seed);
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
};

const HOUR_MS = 3_600_000;
const START = Date.UTC(2025, 0, 6);
const csv = (header: string, lines: readonly string[]): string =>
  `${header}\n${lines.join('\n')}\n`;

/** Four weeks of hourly load: two peaks a day, quiet week-ends, weather that comes and goes. */
const hourlyDemand = (): string => {
  const normal = normalFrom(7);
  let weather = 0;
  const lines = Array.from({ length: 28 * 24 }, (_, i) => {
    const hour = i % 24;
    const isWeekend = Math.floor(i / 24) % 7 >= 5;
    weather = 0.97 * weather + 4 * normal();
    const morning = 120 * Math.exp(-(((hour - 8) / 2.6) ** 2));
    const evening = 170 * Math.exp(-(((hour - 19) / 3.2) ** 2));
    const load =
      420 + (morning + evening) * (isWeekend ? 0.62 : 1) - (isWeekend ? 35 : 0) + weather;
    const time = new Date(START + i * HOUR_MS).toISOString().slice(0, 16).replace('T', ' ');
    return `${time},${(load + 7 * normal()).toFixed(1)}`;
  });
  return csv('timestamp,demand', lines);
};

const SHOPS = [
  { name: 'harbour', level: 210, growth: 0.16, weekend: 1.55 },
  { name: 'market', level: 140, growth: 0.05, weekend: 1.3 },
  { name: 'station', level: 320, growth: -0.12, weekend: 0.6 },
] as const;

/** Forty weeks of daily sales in three shops. */
const dailySales = (): string => {
  const normal = normalFrom(11);
  const lines = SHOPS.flatMap(({ name, level, growth, weekend }) =>
    Array.from({ length: 280 }, (_, i) => {
      const week = [0.92, 0.94, 0.97, 1.02, 1.14, weekend, weekend * 0.86][i % 7]!;
      const sold = Math.max(0, (level + growth * i) * week * (1 + 0.07 * normal()));
      const day = new Date(START + i * 24 * HOUR_MS).toISOString().slice(0, 10);
      return `${name},${day},${Math.round(sold)}`;
    }),
  );
  return csv('shop,date,sales', lines);
};

/** Twelve years of monthly passengers: growth, and a summer that grows with it. */
const monthlyPassengers = (): string => {
  const normal = normalFrom(3);
  const season = [-9, -11, 2, 0, 1, 12, 24, 23, 6, -7, -18, -8];
  const lines = Array.from({ length: 144 }, (_, i) => {
    const trend = 112 * 1.0092 ** i;
    const value = trend * (1 + season[i % 12]! / 100) * (1 + 0.018 * normal());
    const month = String((i % 12) + 1).padStart(2, '0');
    return `${2013 + Math.floor(i / 12)}-${month}-01,${value.toFixed(1)}`;
  });
  return csv('date,passengers', lines);
};

export const EXAMPLES: readonly Example[] = [
  { file: 'hourly-demand.csv', label: 'Hourly demand', make: hourlyDemand },
  { file: 'daily-sales.csv', label: 'Daily sales, three shops', make: dailySales },
  { file: 'monthly-passengers.csv', label: 'Monthly passengers', make: monthlyPassengers },
];
