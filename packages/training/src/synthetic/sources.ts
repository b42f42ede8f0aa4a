/** All families of synthetic series with their shares of the training mix; one draw with the common tail. */
import { augment, coarsened, mixed } from './augmentations.ts';
import { calendar } from './calendar.ts';
import { causalGraph } from './causal-graph.ts';
import { cycleTemplates } from './cycle-templates.ts';
import { dynamical } from './dynamical.ts';
import { events } from './events.ts';
import { gaussianBank } from './gaussian-bank.ts';
import { drawIndex, type Generator, type SyntheticSeries } from './generator.ts';
import { intermittent } from './intermittent.ts';
import { kernelSynth } from './kernel-synth.ts';
import type { Random } from './random.ts';
import { regimeSwitching } from './regime-switching.ts';
import { sarima } from './sarima.ts';
import { spikes } from './spikes.ts';
import { steps } from './steps.ts';
import { structural } from './structural.ts';
import { walks } from './walks.ts';
import { waveforms } from './waveforms.ts';

export interface Source {
  readonly name: string;
  /** Share of the mix; 0 for what is held out of training. */
  readonly weight: number;
  readonly generate: Generator;
  readonly isCount?: true;
}

/** Near equal, a little heavier where real data live. */
export const SOURCES: readonly Source[] = [
  { name: 'kernel-synth', weight: 8, generate: kernelSynth },
  { name: 'gaussian-bank', weight: 6, generate: gaussianBank },
  { name: 'calendar', weight: 12, generate: calendar },
  { name: 'sarima', weight: 14, generate: sarima },
  { name: 'regime-switching', weight: 6, generate: regimeSwitching },
  { name: 'structural', weight: 13, generate: structural },
  { name: 'cycle-templates', weight: 16, generate: cycleTemplates },
  { name: 'steps', weight: 4, generate: steps },
  { name: 'spikes', weight: 3, generate: spikes },
  { name: 'waveforms', weight: 3, generate: waveforms },
  { name: 'events', weight: 3, generate: events },
  { name: 'walks', weight: 4, generate: walks },
  { name: 'intermittent', weight: 6, generate: intermittent, isCount: true },
  { name: 'causal-graph', weight: 3, generate: causalGraph },
  { name: 'dynamical', weight: 0, generate: dynamical },
];

const FACTORS = [2, 3, 4, 5, 6, 7, 12] as const;
/** Longest run that is made to be coarsened. */
const LONGEST = 7000;
const MIXED = 0.15;
const COARSENED = 0.2;

export interface DrawnSeries extends SyntheticSeries {
  /** Index into SOURCES; of the first part for mixtures. */
  readonly source: number;
}

const drawOne = (random: Random, source: number, length: number): SyntheticSeries => {
  const { generate, isCount } = SOURCES[source]!;
  const factors = FACTORS.filter((factor) => factor * length <= LONGEST);
  if (isCount || factors.length === 0 || !random.chance(COARSENED)) return generate(random, length);
  const factor = random.pick(factors);
  return coarsened(random, generate(random, factor * length), factor);
};

/** Draws one series of the mix, or of one source. */
export const drawSeries = (random: Random, length: number, only?: number): DrawnSeries => {
  const weights = SOURCES.map(({ weight }) => weight);
  const source = only ?? drawIndex(random, weights);
  let series = drawOne(random, source, length);
  const isCount = SOURCES[source]!.isCount === true;
  if (only === undefined && !isCount && random.chance(MIXED)) {
    const more = Array.from({ length: random.integer(1, 2) }, () =>
      drawOne(random, drawIndex(random, weights), length),
    );
    series = mixed(random, [series, ...more]);
  }
  augment(random, series, isCount);
  return { ...series, source };
};
