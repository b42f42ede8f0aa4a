/** GIFT-Eval's data sets: 55 names, 97 configurations (55 short, 21 medium, 21 long). */

export type Term = 'short' | 'medium' | 'long';
export const TERMS: readonly Term[] = ['short', 'medium', 'long'];

/** Horizon of a term as a multiple of the short one. */
export const TERM_MULTIPLIER: Readonly<Record<Term, number>> = { short: 1, medium: 10, long: 15 };

interface DataSetFacts {
  readonly domain: string;
  readonly variates: number;
  /** Own frequency of sets whose name has none. */
  readonly freq?: string;
  /** Frequencies that names have. */
  readonly freqs?: readonly string[];
  /** Frequencies (or the set's own) that have medium and long configurations, too. */
  readonly longer?: readonly string[];
}

const own = (domain: string, freq: string, variates = 1, hasLonger = false): DataSetFacts => ({
  domain,
  variates,
  freq,
  ...(hasLonger && { longer: [freq] }),
});

const many = (
  domain: string,
  freqs: readonly string[],
  variates = 1,
  longer: readonly string[] = [],
): DataSetFacts => ({ domain, variates, freqs, longer });

/** By the name that the store has. */
const DATA_SETS: Readonly<Record<string, DataSetFacts>> = {
  m4_yearly: own('Econ/Fin', 'A'),
  m4_quarterly: own('Econ/Fin', 'Q'),
  m4_monthly: own('Econ/Fin', 'M'),
  m4_weekly: own('Econ/Fin', 'W'),
  m4_daily: own('Econ/Fin', 'D'),
  m4_hourly: own('Econ/Fin', 'H'),
  electricity: many('Energy', ['15T', 'H', 'D', 'W'], 1, ['15T', 'H']),
  solar: many('Energy', ['10T', 'H', 'D', 'W'], 1, ['10T', 'H']),
  hospital: own('Healthcare', 'M'),
  covid_deaths: own('Healthcare', 'D'),
  us_births: many('Healthcare', ['D', 'M', 'W']),
  saugeenday: many('Nature', ['D', 'M', 'W']),
  temperature_rain_with_missing: own('Nature', 'D'),
  kdd_cup_2018_with_missing: many('Nature', ['H', 'D'], 1, ['H']),
  car_parts_with_missing: own('Sales', 'M'),
  restaurant: own('Sales', 'D'),
  hierarchical_sales: many('Sales', ['D', 'W']),
  LOOP_SEATTLE: many('Transport', ['5T', 'H', 'D'], 1, ['5T', 'H']),
  SZ_TAXI: many('Transport', ['15T', 'H'], 1, ['15T']),
  M_DENSE: many('Transport', ['H', 'D'], 1, ['H']),
  ett1: many('Energy', ['15T', 'H', 'D', 'W'], 7, ['15T', 'H']),
  ett2: many('Energy', ['15T', 'H', 'D', 'W'], 7, ['15T', 'H']),
  jena_weather: many('Nature', ['10T', 'H', 'D'], 21, ['10T', 'H']),
  bitbrains_fast_storage: many('Web/CloudOps', ['5T', 'H'], 2, ['5T']),
  bitbrains_rnd: many('Web/CloudOps', ['5T', 'H'], 2, ['5T']),
  bizitobs_application: own('Web/CloudOps', '10S', 2, true),
  bizitobs_service: own('Web/CloudOps', '10S', 2, true),
  bizitobs_l2c: many('Web/CloudOps', ['5T', 'H'], 7, ['5T', 'H']),
};

const RENAMED: Readonly<Record<string, string>> = {
  saugeenday: 'saugeen',
  temperature_rain_with_missing: 'temperature_rain',
  kdd_cup_2018_with_missing: 'kdd_cup_2018',
  car_parts_with_missing: 'car_parts',
};

/** The name in results: lower case, a few renamed. `saugeenday/D` -> `saugeen` */
export const publishedKey = (storeName: string): string => {
  const key = storeName.split('/')[0]!.toLowerCase();
  return RENAMED[key] ?? key;
};

export interface GiftEvalConfiguration {
  /** `dataset/frequency/term`, as results name it. */
  readonly name: string;
  /** `dataset[/frequency]`, as the store names it. */
  readonly store: string;
  readonly freq: string;
  readonly term: Term;
  readonly domain: string;
  readonly variates: number;
}

const configurationsOf = ([key, facts]: [string, DataSetFacts]): GiftEvalConfiguration[] =>
  (facts.freqs ?? [facts.freq!]).flatMap((freq) =>
    TERMS.filter((term) => term === 'short' || facts.longer?.includes(freq)).map((term) => ({
      name: `${publishedKey(key)}/${freq}/${term}`,
      store: facts.freqs ? `${key}/${freq}` : key,
      freq,
      term,
      domain: facts.domain,
      variates: facts.variates,
    })),
  );

/** All 97. */
export const GIFT_EVAL_CONFIGURATIONS: readonly GiftEvalConfiguration[] =
  Object.entries(DATA_SETS).flatMap(configurationsOf);

/** The configuration of a published name, if it is one of the 97. */
export const findConfiguration = (name: string): GiftEvalConfiguration | undefined =>
  GIFT_EVAL_CONFIGURATIONS.find((configuration) => configuration.name === name);
