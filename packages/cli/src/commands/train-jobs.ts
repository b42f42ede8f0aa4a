import type { TollamaClient } from '@tollama/client';
import { TollamaError } from '@tollama/core/errors';
import type { JobState } from '@tollama/core/training-job';
import { Command } from 'commander';
import { connect, connectOrStart } from '../daemon/connect.ts';
import { humanDuration, humanNumber, humanTime } from '../terminal/human.ts';
import { printJson } from '../terminal/json.ts';
import { createProgress } from '../terminal/progress.ts';
import { table } from '../terminal/table.ts';
import { type CommonOptions, withCommonOptions, withExamples } from './options.ts';

/** The named job; without a name the newest one, running before others. */
export const findTraining = async (
  client: TollamaClient,
  id: string | undefined,
): Promise<JobState> => {
  const jobs = await client.trainings();
  const found =
    id === undefined
      ? (jobs.find(({ status }) => status === 'running') ?? jobs[0])
      : jobs.find((job) => job.id === id || job.name === id);
  if (found) return found;
  throw new TollamaError(
    'NOT_FOUND',
    id ? `there is no training '${id}'` : 'there is no training',
    {
      hint: id ? '`tollama train list` shows them' : 'tollama train MODEL --data FILE --name NAME',
    },
  );
};

const rowOf = (job: JobState, now: number): string[] => {
  const { progress, result } = job;
  const loss = result?.after?.loss ?? progress?.validation_loss ?? progress?.loss;
  const left = job.status === 'running' && progress?.eta_s;
  return [
    job.id,
    job.name,
    job.adapter,
    job.status,
    progress ? `${progress.step}/${progress.steps}` : '-',
    typeof loss === 'number' ? humanNumber(loss) : '-',
    typeof left === 'number'
      ? `${humanDuration(left * 1000)} left`
      : humanTime(Date.parse(job.created_at), now),
  ];
};

const HEADER = ['ID', 'MODEL', 'ADAPTER', 'STATUS', 'STEP', 'LOSS', 'WHEN'];

const listTrainings = async (options: CommonOptions): Promise<void> => {
  const jobs = await connect(options).trainings();
  if (options.json) return printJson({ jobs });
  if (jobs.length === 0) return console.log('No trainings.');
  const now = Date.now();
  console.log(
    table(
      HEADER,
      jobs.map((job) => rowOf(job, now)),
    ),
  );
};

export const trainListCommand = (): Command =>
  withExamples(
    withCommonOptions(new Command('list').alias('ls').description('list trainings')).action(
      (_: unknown, command: Command) => listTrainings(command.optsWithGlobals()),
    ),
    ['tollama train list', 'tollama train list --json'],
  );

const stopTraining = async (id: string | undefined, options: CommonOptions): Promise<void> => {
  const client = connect(options);
  const job = await client.stopTraining((await findTraining(client, id)).id);
  if (options.json) return printJson(job);
  console.log(`stopping ${job.id} after this step; tollama train resume ${job.id} goes on`);
};

export const trainStopCommand = (): Command =>
  withExamples(
    withCommonOptions(
      new Command('stop')
        .description('end a training after the step under way; its state is kept')
        .argument('[id]', 'id or model of the training (default: the one that runs)'),
    ).action((id: string | undefined, _: unknown, command: Command) =>
      stopTraining(id, command.optsWithGlobals()),
    ),
    ['tollama train stop'],
  );

const resumeTraining = async (id: string | undefined, options: CommonOptions): Promise<void> => {
  const progress = createProgress('auto', options.quiet);
  const client = await connectOrStart(options, progress);
  progress.stop();
  const job = await client.resumeTraining((await findTraining(client, id)).id);
  if (options.json) return printJson(job);
  console.log(`${job.id} goes on; tollama train watch ${job.id} shows it`);
};

export const trainResumeCommand = (): Command =>
  withExamples(
    withCommonOptions(
      new Command('resume')
        .description('let a stopped or halted training go on from its latest checkpoint')
        .argument('[id]', 'id or model of the training (default: the newest)'),
    ).action((id: string | undefined, _: unknown, command: Command) =>
      resumeTraining(id, command.optsWithGlobals()),
    ),
    ['tollama train resume'],
  );
