/** The hook at the end of an epoch: Kasmina measures, Tamiyo decides, the command is vetted, Kasmina carries it out. */
import { errorMessage } from '@tollama/core/errors';
import type { Command } from '../contracts/commands.ts';
import type { Report } from '../contracts/metrics.ts';
import type { CommandOutcome } from '../contracts/outcomes.ts';
import type { RunState } from '../contracts/run-state.ts';
import type { Decision } from '../policy/episode.ts';
import type { NonceLedger } from '../policy/nonce-ledger.ts';
import type { Tamiyo } from '../policy/tamiyo.ts';
import { vet } from '../policy/vetting.ts';
import type { EpochControl, EpochSummary } from '../trainer/trainer-options.ts';
import type { SeedsPast } from './seed-life.ts';
import type { SeedManager } from './seed-manager.ts';

export interface AdaptationOptions {
  readonly runId: string;
  readonly epochs: number;
  readonly stepsPerEpoch: number;
  readonly parameterBudget: number;
  readonly tamiyo: Tamiyo;
  readonly seeds: SeedManager;
  readonly ledger: NonceLedger;
  readonly report: Report;
}

/** Where Tamiyo's own state lies among the slots of a checkpoint; no slot is called so. */
const POLICY = '#policy';
const LOSSES = '#losses';
const PAST = '#past';

export class Adaptation implements EpochControl {
  /** Every decision so far, for learning from. */
  readonly decisions: Decision[] = [];
  readonly #options: AdaptationOptions;
  #losses: number[] = [];

  constructor(options: AdaptationOptions) {
    this.#options = options;
  }

  /** Commands that changed something. */
  get commandsApplied(): number {
    return this.decisions.filter(
      ({ command, outcome }) => outcome.status === 'applied' && command.kind !== 'WAIT',
    ).length;
  }

  async epochEnded(summary: EpochSummary, isConservative: boolean) {
    const { tamiyo, seeds, stepsPerEpoch } = this.#options;
    const validationLoss = summary.validation?.loss ?? Number.NaN;
    this.#losses.push(validationLoss);
    const { epoch, latencyMs } = summary;
    const stepLatencyMs = latencyMs / stepsPerEpoch;
    const isKasminaWell = await seeds.epochEnded({ epoch, validationLoss, stepLatencyMs });
    const state = this.runState(summary);
    const answer = await tamiyo.ask(state, isConservative);
    let isHealthy = isKasminaWell && answer.kind !== 'timeout' && answer.kind !== 'error';
    if (answer.kind === 'command') {
      const outcome = await this.apply(answer.command, state, isConservative);
      isHealthy &&= outcome.status !== 'failed';
    }
    const isBreakerClosed = tamiyo.breaker.state === 'closed' && seeds.isBreakerClosed;
    return { isHealthy, isBreakerClosed };
  }

  /** Vets a command and carries it out, once for each id. */
  apply(input: unknown, state: RunState, isConservative: boolean): Promise<CommandOutcome> {
    const { seeds, ledger, report } = this.#options;
    const vetting = vet(input, {
      state,
      isConservative,
      parametersOf: (slot, blueprint) => seeds.parametersOf(slot, blueprint),
      cooldownOf: (slot) => seeds.cooldownOf(slot),
    });
    if (vetting.kind === 'vetoed') {
      const { factor, message } = vetting;
      report('command_vetoed', 'warning', { factor, message });
      return Promise.resolve({ status: 'vetoed', factor, message });
    }
    const { command } = vetting;
    return ledger.once(command.command_id, () => this.#carryOut(command, state));
  }

  alpha(): Readonly<Record<string, number>> {
    return this.#options.seeds.alphas();
  }

  rolledBack(slots: Readonly<Record<string, unknown>>, reason: string): void {
    this.#options.seeds.rolledBack(this.#loadOwn(slots), reason);
  }

  state(): Record<string, unknown> {
    const { tamiyo, seeds } = this.#options;
    const losses = this.#losses.map((loss) => (Number.isFinite(loss) ? loss : null));
    return {
      ...seeds.state(),
      [POLICY]: tamiyo.policy.state(),
      [LOSSES]: losses,
      [PAST]: seeds.past,
    };
  }

  load(slots: Readonly<Record<string, unknown>>): void {
    const { seeds } = this.#options;
    seeds.load(this.#loadOwn(slots));
    const past = slots[PAST];
    if (past !== undefined) seeds.past = past as SeedsPast;
  }

  runState({ epoch, trainLoss, validation }: EpochSummary): RunState {
    const { runId, epochs, parameterBudget, seeds } = this.#options;
    const { last_cull } = seeds.past;
    return {
      runId,
      epoch,
      epochs,
      trainLoss: trainLoss ?? Number.NaN,
      validationLoss: validation?.loss ?? Number.NaN,
      validationLosses: [...this.#losses],
      slots: seeds.slotStates(),
      parametersUsed: seeds.parametersUsed,
      parameterBudget,
      epochsSinceCull: last_cull === null ? undefined : epoch - last_cull,
    };
  }

  async #carryOut(command: Command, state: RunState): Promise<CommandOutcome> {
    let outcome: CommandOutcome;
    try {
      outcome = await this.#options.seeds.execute(command);
    } catch (error) {
      outcome = { status: 'failed', message: errorMessage(error) };
      this.#options.report('command_failed', 'warning', {
        kind: command.kind,
        message: outcome.message,
      });
    }
    this.decisions.push({ state, command, outcome });
    return outcome;
  }

  /** Takes what is Tamiyo's out of a checkpoint's slots; the rest is Kasmina's. */
  #loadOwn(slots: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
    const { [POLICY]: policy, [LOSSES]: losses, [PAST]: _past, ...seeds } = slots;
    if (policy !== undefined && policy !== null) this.#options.tamiyo.policy.load(policy);
    this.#losses = ((losses ?? []) as (number | null)[]).map((loss) => loss ?? Number.NaN);
    return seeds;
  }
}
