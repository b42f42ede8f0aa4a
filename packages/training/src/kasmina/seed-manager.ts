/** Kasmina: owns the slots, and carries out what was decided about their seeds. */
import { TollamaError } from '@tollama/core/errors';
import type { Command } from '../contracts/commands.ts';
import { METRICS } from '../contracts/metrics.ts';
import type { CommandOutcome } from '../contracts/outcomes.ts';
import type { SlotState } from '../contracts/run-state.ts';
import { type Gate, isActive, type Stage } from '../contracts/stages.ts';
import { type GateResult, resetGate } from '../lifecycle/gates.ts';
import type { Seed } from '../slots/plant.ts';
import { type Germination, germinationEvidence, germinationGate } from './germinate.ts';
import { conflictsOf, type SeedConflict } from './gradient-conflict.ts';
import { gateOf, summaryOf } from './judge-gates.ts';
import type { EpochFacts, SeedManagerOptions } from './kasmina-options.ts';
import {
  type MeasureContext,
  measureContribution,
  measureGradient,
  measurePotential,
  violationsOf,
} from './measure.ts';
import { SeedLife, type SeedRecord, type SeedsPast } from './seed-life.ts';
import { plannedSeed, type Slot } from './seed-plan.ts';
import { parameterCount } from './slot-tensors.ts';

/** Violations within an epoch that cull a seed. */
const MAX_VIOLATIONS = 3;

const EMPTY: EpochFacts = { epoch: 0, validationLoss: Number.NaN, stepLatencyMs: 0 };

export class SeedManager {
  readonly #options: SeedManagerOptions;
  readonly #seeds = new Map<string, SeedLife>();
  #facts = EMPTY;
  #grown = 0;
  #lastCull: number | undefined;
  #violations = 0;
  #pairs: readonly SeedConflict[] = [];
  #compared = 0;
  #conflicts = 0;
  #timeouts = 0;
  #isUnhealthy = false;

  constructor(options: SeedManagerOptions) {
    this.#options = options;
    options.step.planOf = () => this.#plan();
    options.step.alphaOf = () => this.alphas();
  }

  /** Pairs of seeds in the same layers: of the last epoch that had some, and how often they conflicted in all. */
  get conflicts(): { readonly last: readonly SeedConflict[]; readonly count: number } {
    return { last: this.#pairs, count: this.#conflicts };
  }

  get isolationViolations(): number {
    return this.#violations;
  }

  get timeouts(): number {
    return this.#timeouts;
  }

  get past(): SeedsPast {
    return { grown: this.#grown, last_cull: this.#lastCull ?? null };
  }

  set past({ grown, last_cull }: SeedsPast) {
    this.#grown = Math.max(this.#grown, grown);
    this.#lastCull = last_cull ?? undefined;
  }

  get isBreakerClosed(): boolean {
    return this.#options.breaker.state === 'closed';
  }

  get parametersUsed(): number {
    const { graph } = this.#options;
    return [...this.#seeds.values()]
      .filter(({ lifecycle }) => isActive(lifecycle.stage) || lifecycle.stage === 'FOSSILIZED')
      .reduce((sum, { slot, blueprint }) => sum + parameterCount(graph, slot, blueprint), 0);
  }

  parametersOf(slot: string, blueprint: string): number {
    return parameterCount(this.#options.graph, this.#slot(slot), blueprint);
  }

  /** Epochs that a slot still rests. */
  cooldownOf(slot: string): number {
    const life = this.#seeds.get(slot);
    if (life?.lifecycle.stage !== 'EMBARGOED') return 0;
    const rested = this.#facts.epoch - life.lifecycle.enteredEpoch;
    return Math.max(0, this.#options.limits.embargoEpochs - rested);
  }

  slotStates(): readonly SlotState[] {
    return this.#options.slots.map(({ name }) => ({
      name,
      seed: this.#seeds.get(name)?.seen(this.#facts.epoch),
    }));
  }

  /** By the names of the graph's inputs. */
  alphas(): Readonly<Record<string, number>> {
    return Object.fromEntries(
      [...this.#seeds.values()].map(({ id, alpha, lifecycle }) => [
        `alpha.${id}`,
        lifecycle.stage === 'FOSSILIZED' ? 1 : alpha.alpha,
      ]),
    );
  }

  /** Moves every alpha by a tick, measures every seed, and lets slots rest on. Answers whether all went well. */
  async epochEnded(facts: EpochFacts): Promise<boolean> {
    this.#facts = facts;
    this.#isUnhealthy = false;
    for (const life of [...this.#seeds.values()]) {
      life.violationsInEpoch = 0;
      await this.#hold(life);
      if (life.lifecycle.stage === 'BLENDING') life.alpha.tick();
      await this.#measure(life);
      await this.#afterMeasure(life);
    }
    await this.#compareSeeds();
    return !this.#isUnhealthy;
  }

  /** Counts pairs of seeds that pull a layer's weight in opposite directions. */
  async #compareSeeds(): Promise<void> {
    const { step, graph, probeBatch, metrics, report } = this.#options;
    const plan = this.#plan();
    if (plan.length < 2) return;
    const { gradients } = await step.gradients(probeBatch);
    this.#pairs = conflictsOf(graph, plan, step.state().parameters, gradients);
    if (this.#pairs.length === 0) return;
    const against = this.#pairs.filter(({ cosine }) => cosine < 0);
    this.#compared += this.#pairs.length;
    this.#conflicts += against.length;
    metrics?.count(METRICS.gradientsCompared, this.#pairs.length);
    metrics?.count(METRICS.gradientConflicts, against.length);
    metrics?.set(METRICS.conflictRatio, this.#conflicts / this.#compared);
    for (const pair of against) report('kasmina.seed.gradient_conflict', 'warning', { ...pair });
  }

  /** Carries a vetted command out. */
  async execute(command: Command): Promise<CommandOutcome> {
    switch (command.kind) {
      case 'WAIT':
      case 'PAUSE':
        return { status: 'applied', message: command.kind };
      case 'GERMINATE':
        return this.#germinate(this.#slot(command.slot), command.blueprint);
      case 'ADVANCE':
        return this.#advance(this.#life(command.seed));
      case 'SET_ALPHA':
        return this.#setAlpha(this.#life(command.seed), command);
      case 'FOSSILIZE':
        return this.#move(this.#life(command.seed), 'FOSSILIZED');
      case 'CULL':
        await this.cull(command.seed, command.reason);
        return { status: 'applied', message: `culled ${command.seed}` };
    }
  }

  /** Detaches a seed: its values, moments and lease go, the host's path is what it was. */
  async cull(seedId: string, reason: string): Promise<void> {
    const life = this.#life(seedId);
    const { epoch } = this.#facts;
    life.lifecycle.move('CULLED', { epoch, reason });
    this.#options.report('seed_culled', 'warning', { seed: seedId, reason });
    await this.#options.step.plant(this.#plan());
    this.#options.step.forget(seedId);
    life.lease?.release();
    life.lease = undefined;
    this.#lastCull = epoch;
    life.lifecycle.move('EMBARGOED', { epoch });
  }

  /** After a rollback: what the earlier state knows is as it was then; younger seeds are gone with their tensors. */
  rolledBack(slots: Readonly<Record<string, unknown>>, reason: string): void {
    const known = new Set(Object.values(slots).map((record) => (record as SeedRecord).id));
    for (const { id, lifecycle, lease } of this.#seeds.values()) {
      if (known.has(id) || !isActive(lifecycle.stage)) continue;
      this.#options.report('seed_culled', 'warning', { seed: id, reason });
      lease?.release();
      this.#options.step.forget(id);
      this.#lastCull = this.#facts.epoch;
    }
    this.load(slots);
  }

  state(): Record<string, SeedRecord> {
    return Object.fromEntries([...this.#seeds].map(([slot, life]) => [slot, life.record()]));
  }

  load(slots: Readonly<Record<string, unknown>>): void {
    const leases = new Map([...this.#seeds.values()].map(({ id, lease }) => [id, lease]));
    this.#seeds.clear();
    for (const [slot, record] of Object.entries(slots)) {
      const life = SeedLife.from(record as SeedRecord, this.#slot(slot));
      life.lease = leases.get(life.id);
      this.#seeds.set(slot, life);
      this.#grown = Math.max(this.#grown, Number(life.id.split('-').at(-1)) || 0);
    }
  }

  #slot(name: string): Slot {
    const found = this.#options.slots.find((slot) => slot.name === name);
    if (found) return found;
    throw new TollamaError('INVALID_REQUEST', `there is no slot '${name}'`);
  }

  #life(seedId: string): SeedLife {
    for (const life of this.#seeds.values()) if (life.id === seedId) return life;
    throw new TollamaError('INVALID_REQUEST', `there is no seed '${seedId}'`);
  }

  /** @param stages of seeds that are to be looked at in another stage than theirs */
  #plan(stages: Readonly<Record<string, Stage>> = {}): readonly Seed[] {
    return [...this.#seeds.values()].flatMap(({ placed }) => {
      const stage = stages[placed.id] ?? placed.stage;
      return plannedSeed({ ...placed, stage }, this.#options.isLeaky) ?? [];
    });
  }

  get #context(): MeasureContext {
    const { step, probeBatch: batch, validate } = this.#options;
    return { step, batch, alpha: this.alphas(), validate };
  }

  /** After a restart, or a rollback to before a cull, its adapter has to be fetched again. */
  async #hold(life: SeedLife): Promise<void> {
    if (life.lease || !isActive(life.lifecycle.stage)) return;
    const found = await germinationEvidence(this.#options, life);
    this.#notePrefetch(found);
    life.lease = found.lease;
    if (life.lifecycle.stage === 'GERMINATED') this.#options.step.give(found.values);
  }

  async #measure(life: SeedLife): Promise<void> {
    const { id } = life;
    const { stage } = life.lifecycle;
    const { step, probeBatch, probeEvery } = this.#options;
    const { epoch, validationLoss } = this.#facts;
    const isTraining = stage === 'TRAINING';
    if (!isTraining && stage !== 'BLENDING' && stage !== 'HOLDING') return;
    const context = this.#context;
    const gradient = measureGradient(await step.gradients(probeBatch), id, step.hostNames);
    life.gradientRatio = gradient.ratio;
    life.hasExploded = gradient.hasExploded;
    life.noteGradient(gradient.isHealthy);
    const seenOn = this.#plan({ [id]: 'BLENDING' });
    life.measured(
      validationLoss,
      isTraining ? await measurePotential(id, seenOn, context) : undefined,
    );
    if (stage === 'HOLDING') life.contribution = await measureContribution(id, seenOn, context);
    if (epoch % probeEvery === 0) await this.#probe(life, stage);
  }

  /** @returns how many violations were found */
  async #probe(life: SeedLife, stage: Stage): Promise<number> {
    const plan = this.#plan({ [life.id]: stage });
    const found = await violationsOf(life.id, stage, plan, this.#context);
    life.violations += found.length;
    life.violationsInEpoch += found.length;
    this.#violations += found.length;
    if (found.length > 0) {
      const attributes = { seed: life.id, count: found.length, first: found[0]! };
      this.#options.report('kasmina.seed.isolation_violation', 'critical', attributes);
    }
    return found.length;
  }

  /** What follows without being asked for: culls for violations and after a fade-out, and the way back to DORMANT. */
  async #afterMeasure(life: SeedLife): Promise<void> {
    const { lifecycle, id } = life;
    if (isActive(lifecycle.stage) && life.violationsInEpoch >= MAX_VIOLATIONS) {
      this.#isUnhealthy = true;
      await this.cull(id, 'isolation_violations');
    } else if (life.hasFaded && lifecycle.enteredEpoch < this.#facts.epoch) {
      await this.cull(id, 'faded_out');
    } else if (lifecycle.stage === 'EMBARGOED' && this.cooldownOf(life.slot.name) === 0) {
      this.#reset(life);
    }
  }

  #reset(life: SeedLife): void {
    const { epoch } = this.#facts;
    life.lifecycle.move('RESETTING', { epoch });
    const { weights, moments } = this.#options.step.traces(life.id);
    const evidence = { weights, moments, cached: life.lease ? 1 : 0, telemetry: 0 };
    const judge = (): GateResult => this.#told(life, resetGate(evidence));
    if (life.lifecycle.move('DORMANT', { epoch, judge }).kind === 'moved') {
      this.#seeds.delete(life.slot.name);
    }
  }

  async #germinate(slot: Slot, blueprint: string): Promise<CommandOutcome> {
    const { clock, breaker } = this.#options;
    if (!breaker.allow(clock.now())) {
      return { status: 'failed', message: 'prefetching rests: its breaker is open' };
    }
    const id = `seed-${++this.#grown}`;
    const germination = await germinationEvidence(this.#options, { id, slot, blueprint });
    this.#notePrefetch(germination);
    const life = new SeedLife(id, slot, blueprint);
    const gate = germinationGate(germination, {
      isSlotEmpty: !this.#seeds.has(slot.name),
      isEmbargoed: this.cooldownOf(slot.name) > 0,
      parametersAfter: this.parametersUsed + this.parametersOf(slot.name, blueprint),
      parameterBudget: this.#options.parameterBudget,
    });
    const { epoch, validationLoss } = this.#facts;
    const result = life.lifecycle.move('GERMINATED', {
      epoch,
      judge: () => this.#told(life, gate),
    });
    if (result.kind === 'held') {
      germination.lease?.release();
      return summaryOf(result.gates);
    }
    life.lease = germination.lease;
    this.#options.step.give(germination.values);
    this.#seeds.set(slot.name, life);
    life.entered(validationLoss);
    this.#options.report('seed_germinated', 'info', { seed: id, slot: slot.name, blueprint });
    return { status: 'applied', message: `germinated ${id}` };
  }

  #notePrefetch({ end }: Germination): void {
    const { clock, breaker, report } = this.#options;
    if (end === 'ready' || end === 'hit' || end === 'coalesced') {
      breaker.succeed();
      return;
    }
    this.#isUnhealthy = true;
    breaker.fail(clock.now());
    if (end !== 'timeout') return;
    this.#timeouts++;
    report('tolaria.kasmina_timeout', 'warning');
  }

  async #advance(life: SeedLife): Promise<CommandOutcome> {
    switch (life.lifecycle.stage) {
      case 'GERMINATED':
        return this.#startTraining(life);
      case 'TRAINING':
        return this.#move(life, 'BLENDING');
      default:
        return this.#move(life, 'HOLDING');
    }
  }

  /** G1 by a dry backward pass of the graph that would train it. */
  async #startTraining(life: SeedLife): Promise<CommandOutcome> {
    const { step, probeBatch } = this.#options;
    const plan = this.#plan({ [life.id]: 'TRAINING' });
    const probed = await step.probe(plan);
    const gradients = await probed.gradients(probeBatch, { alpha: this.alphas() });
    const measured = measureGradient(gradients, life.id, step.hostNames);
    await this.#probe(life, 'TRAINING');
    return this.#move(life, 'TRAINING', measured.areFinite);
  }

  async #setAlpha(
    life: SeedLife,
    { target, steps, curve }: Extract<Command, { kind: 'SET_ALPHA' }>,
  ): Promise<CommandOutcome> {
    life.alpha.retarget({ target, steps, curve });
    if (life.lifecycle.stage === 'HOLDING' && target < 1) return this.#move(life, 'BLENDING');
    return { status: 'applied', message: `alpha of ${life.id} goes to ${target}` };
  }

  /** Moves through the gates; the graph follows when it must be another. */
  async #move(life: SeedLife, to: Stage, areGradientsFinite = true): Promise<CommandOutcome> {
    const { epoch, validationLoss, stepLatencyMs } = this.#facts;
    const { limits, stepBudgetMs } = this.#options;
    const evidence = { epoch, stepLatencyMs, stepBudgetMs, areGradientsFinite };
    const judge = (gate: Gate): GateResult =>
      this.#told(life, gateOf(gate, life, evidence, limits));
    const from = life.lifecycle.stage;
    const result = life.lifecycle.move(to, { epoch, judge });
    if (result.kind === 'held') return summaryOf(result.gates);
    life.entered(validationLoss);
    await this.#options.step.plant(this.#plan());
    const name = to === 'FOSSILIZED' ? 'fossilized' : 'stage_changed';
    this.#options.report(name, 'info', { seed: life.id, from, to });
    return { status: 'applied', message: `${life.id}: ${from} -> ${to}` };
  }

  #told(life: SeedLife, gate: GateResult): GateResult {
    this.#options.report('gate_evaluated', gate.passed ? 'info' : 'warning', {
      seed: life.id,
      gate: gate.gate,
      passed: gate.passed,
      score: gate.score,
      failed: gate.checks_failed.join(','),
    });
    return gate;
  }
}
