/** One seed: where it stands, what was measured of it, and what it holds. */
import type { SeedState } from '../contracts/run-state.ts';
import { AlphaController, type AlphaState } from '../lifecycle/alpha-schedule.ts';
import { Lifecycle, type LifecycleState } from '../lifecycle/lifecycle.ts';
import type { Lease } from '../prefetch/adapter-cache.ts';
import type { PreparedAdapter } from '../prefetch/adapter-loader.ts';
import type { PlacedSeed, Slot } from './seed-plan.ts';

/** A loss is a number or not known: checkpoints are JSON, which has no NaN. */
type Loss = number | null;

/** All of a seed that is not a tensor. */
export interface SeedRecord {
  readonly id: string;
  readonly blueprint: string;
  readonly lifecycle: LifecycleState;
  readonly alpha: AlphaState;
  readonly loss_at_start: Loss;
  readonly loss_at_stage: Loss;
  readonly contribution: number | null;
  readonly potential: Loss;
  readonly gradient_ratio: number | null;
  readonly health: readonly boolean[];
  readonly has_exploded: boolean;
  readonly violations: number;
}

/** What is known of seeds that are gone: how many grew, and the epoch of the last cull. */
export interface SeedsPast {
  readonly grown: number;
  readonly last_cull: number | null;
}

/** Gradient measurements that health is taken from. */
const HEALTH_WINDOW = 10;

const fall = (from: Loss, to: Loss): number | undefined =>
  from === null || to === null ? undefined : (from - to) / Math.max(Math.abs(from), 1e-12);

const finite = (value: number | undefined): Loss =>
  value !== undefined && Number.isFinite(value) ? value : null;

export class SeedLife {
  readonly id: string;
  readonly slot: Slot;
  readonly blueprint: string;
  readonly lifecycle = new Lifecycle();
  readonly alpha = new AlphaController();
  lease: Lease<PreparedAdapter> | undefined;
  gradientRatio: number | undefined;
  contribution: number | undefined;
  hasExploded = false;
  violations = 0;
  violationsInEpoch = 0;
  #lossAtStart: Loss = null;
  #lossAtStage: Loss = null;
  #loss: Loss = null;
  /** Validation loss with the seed switched on fully, while it trains in the dark. */
  #potential: Loss = null;
  #health: boolean[] = [];

  constructor(id: string, slot: Slot, blueprint: string) {
    this.id = id;
    this.slot = slot;
    this.blueprint = blueprint;
  }

  get placed(): PlacedSeed {
    return {
      id: this.id,
      slot: this.slot,
      blueprint: this.blueprint,
      stage: this.lifecycle.stage,
    };
  }

  get gradientHealth(): number {
    if (this.#health.length === 0) return 0;
    return this.#health.filter(Boolean).length / this.#health.length;
  }

  /** Since the stage began; a seed in training is seen by what it would do if it were on. */
  get improvement(): number | undefined {
    const now = fall(this.#lossAtStage, this.#loss);
    const potential = fall(this.#lossAtStage, this.#potential);
    if (this.lifecycle.stage !== 'TRAINING' || potential === undefined) return now;
    return Math.max(now ?? potential, potential);
  }

  /** Whether its blending ended at 0; a seed that just began to blend holds at 0 as well. */
  get hasFaded(): boolean {
    const { isHolding, target } = this.alpha;
    const isOff = this.lifecycle.stage === 'BLENDING' && isHolding && target === 0;
    return isOff && this.alpha.state().ramp.start > 0;
  }

  get totalImprovement(): number | undefined {
    return fall(this.#lossAtStart, this.#loss);
  }

  entered(validationLoss: number): void {
    const loss = finite(validationLoss);
    if (this.lifecycle.stage === 'GERMINATED') this.#lossAtStart = loss;
    this.#lossAtStage = loss;
    this.#loss = loss;
    this.#potential = null;
  }

  measured(validationLoss: number, potential: number | undefined): void {
    this.#loss = finite(validationLoss);
    this.#potential = finite(potential);
  }

  noteGradient(isHealthy: boolean): void {
    this.#health = [...this.#health, isHealthy].slice(-HEALTH_WINDOW);
  }

  seen(epoch: number): SeedState {
    return {
      id: this.id,
      slot: this.slot.name,
      blueprint: this.blueprint,
      stage: this.lifecycle.stage,
      epochsInStage: Math.max(0, epoch - this.lifecycle.enteredEpoch),
      alpha: this.alpha.alpha,
      alphaTarget: this.alpha.target,
      improvement: this.improvement ?? 0,
      contribution: this.contribution,
      gradientRatio: this.gradientRatio,
      gradientHealth: this.gradientHealth,
      isolationViolations: this.violations,
    };
  }

  record(): SeedRecord {
    return {
      id: this.id,
      blueprint: this.blueprint,
      lifecycle: this.lifecycle.state(),
      alpha: this.alpha.state(),
      loss_at_start: this.#lossAtStart,
      loss_at_stage: this.#lossAtStage,
      contribution: finite(this.contribution),
      potential: this.#potential,
      gradient_ratio: finite(this.gradientRatio),
      health: [...this.#health],
      has_exploded: this.hasExploded,
      violations: this.violations,
    };
  }

  static from(record: SeedRecord, slot: Slot): SeedLife {
    const life = new SeedLife(record.id, slot, record.blueprint);
    life.lifecycle.load(record.lifecycle);
    life.alpha.load(record.alpha);
    life.#lossAtStart = record.loss_at_start;
    life.#lossAtStage = record.loss_at_stage;
    life.#loss = record.loss_at_stage;
    life.#potential = record.potential;
    life.#health = [...record.health];
    life.contribution = record.contribution ?? undefined;
    life.gradientRatio = record.gradient_ratio ?? undefined;
    life.hasExploded = record.has_exploded;
    life.violations = record.violations;
    return life;
  }
}
