/** What a learned policy learns from: every decision of a run, with what became of it. */
import { readFile } from 'node:fs/promises';
import { TollamaError } from '@tollama/core/errors';
import type { Command } from '../contracts/commands.ts';
import type { CommandOutcome } from '../contracts/outcomes.ts';
import type { RunState } from '../contracts/run-state.ts';

export interface Decision {
  readonly state: RunState;
  readonly command: Command;
  readonly outcome: CommandOutcome;
}

export interface Episode {
  readonly runId: string;
  readonly policy: string;
  readonly decisions: readonly Decision[];
  readonly firstLoss: number;
  readonly finalLoss: number;
  /** Trainable parameters of the seeds that were left at the end. */
  readonly parameters: number;
}

/** One line a run. JSON has no NaN: a loss that was not finite is null in the file. */
export const formatEpisodes = (episodes: readonly Episode[]): string =>
  episodes.map((episode) => `${JSON.stringify(episode)}\n`).join('');

const LOSSES = new Set(['trainLoss', 'validationLoss', 'firstLoss', 'finalLoss']);

const revive = (key: string, value: unknown): unknown => {
  if (value === null && LOSSES.has(key)) return Number.NaN;
  if (key === 'validationLosses') return (value as unknown[]).map((one) => one ?? Number.NaN);
  return value;
};

/** @throws TollamaError INVALID_INPUT that names the line that is no episode */
export const parseEpisodes = (text: string): readonly Episode[] =>
  text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line, i) => {
      try {
        return JSON.parse(line, revive) as Episode;
      } catch (cause) {
        throw new TollamaError('INVALID_INPUT', `line ${i + 1} is no recorded run`, { cause });
      }
    });

export const readEpisodes = async (path: string): Promise<readonly Episode[]> =>
  parseEpisodes(await readFile(path, 'utf8'));
