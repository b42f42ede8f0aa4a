/**
 * TTM is published as one small checkpoint for each context and horizon, all revisions of a few
 * repositories. Which one suits a series and a horizon, as the reference's `get_model` has it
 * (granite-tsfm 0.3.11, toolkit/get_model.py and resources/model_paths_config/ttm.yaml).
 */
import { TollamaError } from '@tollama/core/errors';
import { FREQUENCY_TOKENS } from './frequency.ts';

export type TtmRelease = 'r1' | 'r2' | 'r2-research' | 'r3';

export interface TtmCheckpoint {
  /** Context, horizon, tuning and release: `512-96-ft-l1-r2.1`. */
  readonly key: string;
  readonly repo: string;
  readonly revision: string;
  /** Steps of history that it reads. */
  readonly contextLength: number;
  /** Steps of one pass. */
  readonly horizon: number;
}

const fromKey = (key: string, repo: string, revision = key): TtmCheckpoint => {
  const [contextLength, horizon] = key.split('-', 2).map(Number) as [number, number];
  return { key, repo, revision, contextLength, horizon };
};

const grid = (suffix: string): string[] =>
  [512, 1024, 1536].flatMap((context) =>
    [96, 192, 336, 720].map((horizon) => `${context}-${horizon}-${suffix}`),
  );

const R1 = 'ibm-granite/granite-timeseries-ttm-r1';
const R2 = 'ibm-granite/granite-timeseries-ttm-r2';
const R2_RESEARCH = 'ibm-research/ttm-research-r2';
const R3 = 'ibm-granite/granite-timeseries-ttm-r3';

const R2_1_KEYS = [
  '52-16-ft',
  '52-16-ft-l1',
  '90-30-ft',
  '90-30-ft-l1',
  '180-60-ft-l1',
  '360-60-ft-l1',
  '512-48-ft',
  '512-48-ft-l1',
  '512-96-ft',
  '512-96-ft-l1',
].map((key) => `${key}-r2.1`);

const R3_KEYS = [
  ...['156-16-dec-52', '512-30-dec-90', '768-48-dec-512', '1024-48-dec-512'],
  ...['2048-96', '2048-720', '2560-96', '2560-720', '3072-96', '3072-720'],
  ...['52-16-dec-52', '90-30-dec-90', '180-60-dec-180', '360-60-dec-360'],
  ...['512-48-dec-512', '512-96-dec-512', '512-336-dec-512'],
  ...['1024-96', '1024-720', '1536-96', '1536-720'],
];

/** All published checkpoints, in the order of the reference's list. */
export const TTM_CHECKPOINTS: Readonly<Record<TtmRelease, readonly TtmCheckpoint[]>> = {
  r1: [fromKey('512-96-r1', R1, 'main'), fromKey('1024-96-r1', R1, '1024_96_v1')],
  r2: [...grid('r2'), ...R2_1_KEYS].map((key) =>
    fromKey(key, R2, key === '512-96-r2' ? 'main' : key),
  ),
  'r2-research': grid('ft-r2').map((key) =>
    fromKey(key, R2_RESEARCH, key === '512-96-ft-r2' ? 'main' : key),
  ),
  r3: ['r3', 'lite-r3'].flatMap((suffix) => R3_KEYS.map((key) => fromKey(`${key}-${suffix}`, R3))),
};

export interface TtmWish {
  readonly release: TtmRelease;
  /** Points of history at hand. */
  readonly contextLength: number;
  /** Steps to forecast. */
  readonly horizon: number;
  /** Pandas alias of the sampling frequency. */
  readonly freq?: string | undefined;
  /** Among contexts up to 512: take one trained with the absolute error. */
  readonly preferL1Loss?: boolean;
  /** Among contexts up to 512: take one with frequency prefix tuning. */
  readonly preferFrequencyTuned?: boolean;
  /** Default true. */
  readonly preferLongerContext?: boolean;
  /**
   * What to give up when nothing fits: `zeropad` allows contexts longer than the history, `rolling`
   * horizons shorter than asked. An error when absent.
   */
  readonly fallback?: 'zeropad' | 'rolling' | undefined;
  /** Of r3: the light twins. */
  readonly lite?: boolean;
  /** Of r3: start from what would be chosen of r2 (default true). */
  readonly preferKnownMappings?: boolean;
}

const LAST_TOKEN_OF_SHORT_FREQUENCIES = 7;
const LONGEST_TUNED_CONTEXT = 512;

const nothingFits = (wish: TtmWish, why: string): TollamaError =>
  new TollamaError(
    'MODEL_NOT_FOUND',
    `no TTM ${wish.release} checkpoint ${why} (context ${wish.contextLength}, horizon ${wish.horizon})`,
    {
      hint: 'give more history, ask for fewer steps, or allow zeropad (longer contexts) or rolling (shorter horizons)',
    },
  );

const withFittingContext = (wish: TtmWish): readonly TtmCheckpoint[] => {
  const all = TTM_CHECKPOINTS[wish.release];
  const token = Object.hasOwn(FREQUENCY_TOKENS, wish.freq ?? '')
    ? FREQUENCY_TOKENS[wish.freq!]!
    : 0;
  const isSlow = token > LAST_TOKEN_OF_SHORT_FREQUENCIES && wish.release !== 'r2-research';
  const suited = isSlow ? all.filter(({ key }) => key.endsWith('r2.1')) : all;
  const fitting = suited.filter(({ contextLength }) => contextLength <= wish.contextLength);
  if (fitting.length > 0) return fitting;
  const shortest = Math.min(...all.map(({ contextLength }) => contextLength));
  const mayPad = wish.fallback === 'zeropad' && wish.contextLength < shortest;
  if (!mayPad || suited.length === 0) throw nothingFits(wish, 'reads so short a history');
  return suited;
};

/** Keeps the variants of that name where there are any. */
const preferring = (some: readonly TtmCheckpoint[], variant: string): readonly TtmCheckpoint[] => {
  const preferred = some.filter(({ key }) => key.includes(variant));
  return preferred.length > 0 ? preferred : some;
};

const withPreferences = (some: readonly TtmCheckpoint[], wish: TtmWish) => {
  const contexts = some.map(({ contextLength }) => contextLength);
  const reference =
    (wish.preferLongerContext ?? true)
      ? Math.min(wish.contextLength, Math.max(...contexts))
      : Math.min(...contexts);
  if (reference > LONGEST_TUNED_CONTEXT) return some;
  const byLoss = wish.preferL1Loss ? preferring(some, '-l1-') : some;
  return wish.preferFrequencyTuned ? preferring(byLoss, '-ft-') : byLoss;
};

const chooseByRules = (wish: TtmWish): TtmCheckpoint => {
  const { freq, horizon } = wish;
  const sign = (wish.preferLongerContext ?? true) ? -1 : 1;
  const ordered = withPreferences(withFittingContext(wish), wish).toSorted(
    (a, b) => sign * (a.contextLength - b.contextLength) || a.horizon - b.horizon,
  );
  if (wish.preferFrequencyTuned && freq !== undefined && !Object.hasOwn(FREQUENCY_TOKENS, freq)) {
    throw nothingFits(wish, `knows the frequency '${freq}'`);
  }
  const first = ordered.find((one) => one.horizon >= horizon);
  if (first) return first;
  if (wish.fallback !== 'rolling') throw nothingFits(wish, 'forecasts so many steps');
  return ordered.reduce((best, one) => (one.horizon > best.horizon ? one : best));
};

// ---- r3 -----------------------------------------------------------------------------------------------

/** The checkpoint of r3 that succeeds the choice of r2, where there is one. */
const successorOf = (
  base: string,
  { contextLength, horizon, freq }: TtmWish,
): string | undefined => {
  if (contextLength > 2500) return horizon <= 96 ? '2048-96' : '2048-720';
  const longer = contextLength < 756 ? '768-48-dec-512' : '1024-48-dec-512';
  if (base.startsWith('52-16-') || freq?.startsWith('A')) {
    return contextLength <= 512 ? '156-16-dec-52' : longer;
  }
  if (base.startsWith('90-30-')) return contextLength <= 512 ? '512-30-dec-90' : longer;
  if (base.startsWith('512-48-')) return longer;
  if (base === '1536-96-r2') return '2048-96';
  return base === '1536-720-r2' ? '2048-720' : undefined;
};

const isDecomposedKey = (key: string): boolean => key.includes('-dec-');

/** Smaller is better, the first difference decides. */
const penaltiesOf = (one: TtmCheckpoint, wish: TtmWish): readonly number[] => {
  const excess = one.horizon - wish.horizon;
  const spare = wish.contextLength - one.contextLength;
  const isLonger = wish.preferLongerContext ?? true;
  return [
    Math.max(0, -excess),
    excess === 0 ? 0 : 1,
    Math.max(0, excess),
    Math.max(0, -spare),
    isLonger ? Math.max(0, spare) : Math.abs(spare),
    wish.horizon <= 336 && isDecomposedKey(one.key) ? 0 : 1,
    isLonger ? -one.contextLength : one.contextLength,
    one.horizon,
  ];
};

const comparePenalties = (a: readonly number[], b: readonly number[]): number => {
  const at = a.findIndex((value, i) => value !== b[i]);
  return at < 0 ? 0 : a[at]! - b[at]!;
};

const chooseByScore = (wish: TtmWish, all: readonly TtmCheckpoint[]): TtmCheckpoint => {
  const readable = all.filter(({ contextLength }) => contextLength <= wish.contextLength);
  const reaching = (some: readonly TtmCheckpoint[]) =>
    some.filter(({ horizon }) => horizon >= wish.horizon);
  let candidates = reaching(readable);
  if (candidates.length === 0 && wish.fallback === 'zeropad') candidates = reaching(all);
  if (candidates.length === 0 && wish.fallback === 'rolling') candidates = readable;
  if (candidates.length === 0) throw nothingFits(wish, 'fits');
  return candidates
    .map((one) => ({ one, penalties: penaltiesOf(one, wish) }))
    .reduce((best, next) => (comparePenalties(next.penalties, best.penalties) < 0 ? next : best))
    .one;
};

const choiceOfR2 = (wish: TtmWish): string | undefined => {
  try {
    return chooseByRules({ ...wish, release: 'r2' }).key;
  } catch {
    // The reference falls back to the scored search whatever went wrong here.
    return undefined;
  }
};

const chooseR3 = (wish: TtmWish): TtmCheckpoint => {
  const twins = TTM_CHECKPOINTS.r3.filter(
    ({ key }) => key.endsWith('-lite-r3') === (wish.lite ?? false),
  );
  const base = (wish.preferKnownMappings ?? true) ? choiceOfR2(wish) : undefined;
  const successor = base && successorOf(base, wish);
  const suffix = wish.lite ? 'lite-r3' : 'r3';
  return twins.find(({ key }) => key === `${successor}-${suffix}`) ?? chooseByScore(wish, twins);
};

/**
 * The published checkpoint for a history and a horizon. Its horizon may exceed the wish (the forecast
 * is cut) or, under `rolling`, fall short of it (the forecast is rolled out).
 *
 * @throws TollamaError MODEL_NOT_FOUND when none fits
 * @example
 * chooseCheckpoint({ release: 'r2', contextLength: 700, horizon: 96 }).revision; // 'main'
 */
export const chooseCheckpoint = (wish: TtmWish): TtmCheckpoint =>
  wish.release === 'r3' ? chooseR3(wish) : chooseByRules(wish);
