/** What is measured of a seed at the end of an epoch, and before it may train. */
import type { Feeds } from '@tollama/graph';
import type { Stage } from '../contracts/stages.ts';
import type { Seed } from '../slots/plant.ts';
import type { Gradients, TrainingStep } from '../step/training-step.ts';
import { leaksOf, probeIsolation } from './isolation.ts';
import type { SeededStep } from './seeded-step.ts';

export interface GradientMeasure {
  readonly areFinite: boolean;
  /** Seed's norm over host's; undefined for a host without gradients. */
  readonly ratio: number | undefined;
  readonly isHealthy: boolean;
  readonly hasExploded: boolean;
}

const EXPLODED = 1e3;
const VANISHED = 1e-9;

const normOf = (gradients: Gradients['gradients'], isWanted: (name: string) => boolean): number => {
  let squares = 0;
  for (const [name, { data }] of gradients) {
    if (!isWanted(name)) continue;
    for (const value of data as Float32Array) squares += value * value;
  }
  return Math.sqrt(squares);
};

export const measureGradient = (
  { gradients }: Gradients,
  seedId: string,
  hostNames: ReadonlySet<string>,
): GradientMeasure => {
  const seed = normOf(gradients, (name) => name.endsWith(`.${seedId}.weight`));
  const host = normOf(gradients, (name) => hostNames.has(name));
  const areFinite = Number.isFinite(seed);
  const hasExploded = !areFinite || seed > EXPLODED;
  return {
    areFinite,
    ratio: host > 0 && areFinite ? seed / host : undefined,
    isHealthy: areFinite && !hasExploded && seed > VANISHED,
    hasExploded,
  };
};

export interface MeasureContext {
  readonly step: SeededStep;
  readonly batch: Feeds;
  readonly alpha: Readonly<Record<string, number>>;
  /** Validation loss of a step with these alphas. */
  readonly validate: (
    step: TrainingStep,
    alpha: Readonly<Record<string, number>>,
  ) => Promise<number>;
}

/** Whatever the seed's path and its neighbours' are, the graph must keep it from the host while it is isolated. */
const MUST_BE_ISOLATED: readonly Stage[] = ['TRAINING', 'BLENDING', 'HOLDING'];

/**
 * Violations of isolation: by the graph's structure, and in TRAINING by the bits of the host's gradients as well.
 * @param plan with the seed in it
 */
export const violationsOf = async (
  seedId: string,
  stage: Stage,
  plan: readonly Seed[],
  { step, batch, alpha }: MeasureContext,
): Promise<readonly string[]> => {
  if (!MUST_BE_ISOLATED.includes(stage)) return [];
  const graph = await step.graphOf(plan);
  const leaks = leaksOf(graph, seedId).map((name) => `path into ${name}`);
  if (stage !== 'TRAINING') return leaks;
  const without = plan.filter(({ id }) => id !== seedId);
  // One after the other: both look at the same values.
  const seeded = await step.probe(plan);
  const bare = await step.probe(without);
  const names = { hostNames: step.hostNames, batch, alpha };
  const differing = await probeIsolation(seeded, bare, names);
  return [...leaks, ...differing.map((name) => `gradient of ${name}`)];
};

const alphaName = (seedId: string): string => `alpha.${seedId}`;

/** (loss off - loss on) / loss off, over a graph in which alpha is an input. */
export const measureContribution = async (
  seedId: string,
  plan: readonly Seed[],
  { step, alpha, validate }: MeasureContext,
): Promise<number | undefined> => {
  const probed = await step.probe(plan);
  const on = await validate(probed, { ...alpha, [alphaName(seedId)]: 1 });
  const off = await validate(probed, { ...alpha, [alphaName(seedId)]: 0 });
  const contribution = (off - on) / Math.abs(off);
  return Number.isFinite(contribution) ? contribution : undefined;
};

/** Validation loss with the seed switched on fully, over a graph in which alpha is an input. */
export const measurePotential = async (
  seedId: string,
  plan: readonly Seed[],
  { step, alpha, validate }: MeasureContext,
): Promise<number> => validate(await step.probe(plan), { ...alpha, [alphaName(seedId)]: 1 });
