/**
 * What a forecast of each family costs, as measured by bench/families (context 512, horizon 64, two cores): the time of
 * one series alone and the rate in batches of 32. A batch of n takes fixed + each * n.
 */
export interface FamilyCost {
  readonly model: string;
  readonly precision: 'float32' | 'int8';
  /** One series, milliseconds. */
  readonly oneMs: number;
  /** Series a second in batches of 32. */
  readonly batchRate: number;
  readonly memoryMegabytes: number;
}

const cost = (
  model: string,
  precision: FamilyCost['precision'],
  oneMs: number,
  batchRate: number,
  memoryMegabytes: number,
): FamilyCost => ({ model, precision, oneMs, batchRate, memoryMegabytes });

export const FAMILY_COSTS: readonly FamilyCost[] = [
  cost('granite-ttm-r2-512-96', 'float32', 0.39, 7626, 129),
  cost('toto2-4m', 'float32', 1.1, 2180, 144),
  cost('timer-base-84m', 'int8', 4, 1103, 217),
  cost('chronos-bolt-small', 'int8', 4.8, 532, 242),
  cost('moirai2-small', 'float32', 4, 504, 179),
  cost('timer-base-84m', 'float32', 11.7, 419, 467),
  cost('chronos-bolt-small', 'float32', 8.4, 225, 306),
  cost('moirai-1.1-R-small', 'float32', 7.7, 191, 194),
  cost('tirex', 'int8', 16, 181, 194),
  cost('toto-1.0-base', 'int8', 9.2, 339, 300),
  cost('chronos-2', 'int8', 10.1, 154, 263),
  cost('toto-1.0-base', 'float32', 23.8, 174, 750),
  cost('tirex', 'float32', 20.5, 113, 281),
  cost('timesfm-2.5', 'int8', 25.8, 65.5, 381),
  cost('chronos-2', 'float32', 29.1, 57.5, 558),
  cost('patchtst-fm-r1', 'int8', 29.7, 50.8, 413),
  cost('sundial-base-128m', 'int8', 50.3, 27.7, 306),
  cost('timesfm-2.5', 'float32', 60.5, 27.2, 1069),
  cost('flowstate-r1.1', 'float32', 51.5, 19.9, 234),
  cost('sundial-base-128m', 'float32', 71.1, 19.2, 649),
  cost('patchtst-fm-r1', 'float32', 85, 17.5, 1165),
  cost('chronos-t5-small', 'int8', 362, 3.3, 331),
  cost('chronos-t5-small', 'float32', 602, 2.1, 462),
];

/** Milliseconds of a run of n series: through both measured points, a run never costs less than its share. */
export interface ServiceTime {
  readonly fixedMs: number;
  readonly eachMs: number;
}

export const serviceTimeOf = ({ oneMs, batchRate }: FamilyCost): ServiceTime => {
  const thirtyTwoMs = 32_000 / batchRate;
  const eachMs = Math.min((thirtyTwoMs - oneMs) / 31, thirtyTwoMs / 32);
  return { fixedMs: Math.max(0, oneMs - eachMs), eachMs: Math.max(eachMs, 0) };
};
