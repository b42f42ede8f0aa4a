/** The three classes of frequency that TimesFM 1.0 and 2.0 were trained with. */

/** 0: up to daily, 1: weekly and monthly, 2: quarterly and yearly. */
export type FrequencyClass = 0 | 1 | 2;

const WEEKS_AND_MONTHS = new Set(['W', 'M', 'ME', 'MS', 'BM', 'BME', 'BMS', 'CBME', 'CBMS', 'SM']);
const QUARTERS_AND_YEARS = /^B?[QYA][ES]?$/;

/** The class of a pandas alias such as `15min`, `W-SUN` or `QS-JAN`; unknown ones count as high. */
export const frequencyClass = (alias = ''): FrequencyClass => {
  const [unit = ''] = alias.toUpperCase().replace(/^\d+/, '').split('-');
  if (WEEKS_AND_MONTHS.has(unit)) return 1;
  return QUARTERS_AND_YEARS.test(unit) ? 2 : 0;
};
