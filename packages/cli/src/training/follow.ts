/** A training in the terminal: a line that moves, and one for each epoch. */
import type { TollamaClient } from '@tollama/client';
import { TollamaError } from '@tollama/core/errors';
import type { JobState } from '@tollama/core/training-job';
import { humanDuration, humanNumber } from '../terminal/human.ts';
import type { Progress } from '../terminal/progress.ts';

export interface FollowOptions {
  readonly progress: Progress;
  readonly isQuiet: boolean;
  /** Ends the looking, not the training. */
  readonly signal?: AbortSignal | undefined;
}

const BARS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
const SPARKS = 24;

/** The last losses between their lowest and highest. */
export const sparkline = (values: readonly number[]): string => {
  const shown = values.slice(-SPARKS);
  const [low, high] = [Math.min(...shown), Math.max(...shown)];
  const span = high - low || 1;
  return shown
    .map(
      (value) => BARS[Math.min(BARS.length - 1, Math.floor(((value - low) / span) * BARS.length))],
    )
    .join('');
};

type Attributes = Readonly<Record<string, unknown>>;

const figure = (name: string, value: unknown): string =>
  typeof value === 'number' ? `  ${name} ${humanNumber(value)}` : '';

/** `epoch  3/10  loss 0.71  validation 0.88  MASE 1.2  CRPS 0.31  best` */
export const epochLine = (a: Attributes): string =>
  [
    `epoch ${String(a.epoch).padStart(String(a.epochs).length)}/${a.epochs}`,
    figure('loss', a.train_loss),
    figure('validation', a.validation_loss),
    figure('MASE', a.mase),
    figure('CRPS', a.crps),
    a.is_best ? '  best' : '',
  ].join('');

const progressLine = (a: Attributes, losses: readonly number[]): string => {
  const left = typeof a.eta_s === 'number' ? `  ${humanDuration(a.eta_s * 1000)} left` : '';
  return `step ${a.step}/${a.steps}  loss ${humanNumber(Number(a.loss))} ${sparkline(losses)}${left}`;
};

/** Events that a person should see. */
const note = (name: string, level: unknown, a: Attributes): string | undefined => {
  if (name === 'training.epoch') return epochLine(a);
  if (name === 'training.data') {
    const before =
      figure('validation', a.loss_before) +
      figure('MASE', a.mase_before) +
      figure('CRPS', a.crps_before);
    return `${a.series} series, ${a.windows} windows, ${a.trained_parameters} parameters; before:${before}`;
  }
  if (name === 'training.batch_size_found') return `batches of ${a.batch_size} windows`;
  if (name === 'training.learning_rate_found' && a.learning_rate !== null) {
    return `learning rate ${humanNumber(Number(a.learning_rate))}`;
  }
  if (level === 'warning' || level === 'critical') {
    const why = a.reason ?? a.message ?? a.outcome;
    return `${name}${why === undefined || why === null ? '' : `: ${String(why)}`}`;
  }
  return undefined;
};

/**
 * Shows the events of a training until it ends.
 *
 * @returns the job as it ended
 * @throws TollamaError when the training failed, with its own code and message
 */
export const followTraining = async (
  client: TollamaClient,
  id: string,
  { progress, isQuiet, signal }: FollowOptions,
): Promise<JobState> => {
  const losses: number[] = [];
  let job: JobState | undefined;
  try {
    for await (const { event, data } of client.trainingEvents(id, 0, signal && { signal })) {
      if (event === 'end') {
        job = data as unknown as JobState;
        break;
      }
      const { attributes = {}, level } = data as { attributes?: Attributes; level?: string };
      if (event === 'training.progress') {
        losses.push(Number(attributes.loss));
        progress.status(progressLine(attributes, losses));
        continue;
      }
      const line = note(event, level, attributes);
      if (line === undefined || isQuiet) continue;
      progress.stop();
      process.stderr.write(`${line}\n`);
    }
  } finally {
    progress.stop();
  }
  const ended = job ?? (await client.training(id));
  const error = ended.result?.error;
  if (error) {
    throw new TollamaError('RUNNER_ERROR', `training ${id} failed: ${error.message}`, {
      ...(error.hint !== undefined && { hint: error.hint }),
    });
  }
  return ended;
};

const change = (name: string, before: number | undefined, after: number | undefined): string =>
  before === undefined || after === undefined
    ? ''
    : `  ${name} ${humanNumber(before)} -> ${humanNumber(after)}`;

/** What a person is told in the end. */
export const printTrained = ({ id, name, status, result }: JobState): void => {
  if (status !== 'finished' && status !== 'early_stopped') {
    console.log(`training ${id} is ${status}; tollama train resume ${id} goes on`);
    return;
  }
  const { before, after } = result ?? {};
  const changes = ['loss', 'mase', 'crps'].map((key) =>
    change(key === 'loss' ? 'validation loss' : key.toUpperCase(), before?.[key], after?.[key]),
  );
  console.log(`trained '${name}' in ${result?.step} steps;${changes.join('')}`);
  if (before?.loss !== undefined && after?.loss !== undefined && after.loss >= before.loss) {
    console.log('It is no better than before: try another --lr, more --steps, or more data.');
  }
  console.log(`try: tollama run ${name} --input data.csv`);
};
