import { parseFrequency, seasonLengths } from '@tollama/core/frequency';

/** Steps of the most natural season of a frequency; 1 where there is none or it is not known. */
export const seasonOf = (freq: string | null): number => {
  if (freq === null || freq === 'auto') return 1;
  try {
    return seasonLengths(parseFrequency(freq))[0] ?? 1;
  } catch {
    return 1;
  }
};
