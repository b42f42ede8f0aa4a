/** Trainings: what runs, what ran, and the curves of one of them. */
import type { JobState } from '@tollama/core/training-job';
import { useEffect, useState } from 'preact/hooks';
import { startPoll } from '../daemon/poll.ts';
import { Icon } from '../ui/icon.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { formatRelative } from '../ui/quantity.ts';
import { useStore } from '../ui/store.ts';
import { RunCurves } from './run-curves.tsx';
import { readRuns, resumeRun, runs, stopRun } from './runs.ts';

const INTERVAL_MS = 3000;

const LOOKS: Readonly<Record<JobState['status'], string>> = {
  queued: '',
  running: 'good',
  finished: 'good',
  early_stopped: 'good',
  stopped: '',
  halted: 'bad',
  failed: 'bad',
};

const figure = (value: number | null | undefined): string =>
  typeof value === 'number' ? value.toPrecision(4) : '–';

const Actions = ({ job }: { job: JobState }) => {
  if (job.status === 'running' || job.status === 'queued') {
    return (
      <button type="button" class="button" onClick={() => void stopRun(job.id)}>
        <Icon name="stop" /> Stop
      </button>
    );
  }
  if (job.status === 'finished' || job.status === 'early_stopped') return null;
  return (
    <button type="button" class="button" onClick={() => void resumeRun(job.id)}>
      <Icon name="play" /> Go on
    </button>
  );
};

interface RowProps {
  readonly job: JobState;
  readonly isShown: boolean;
  readonly onShow: () => void;
}

const Row = ({ job, isShown, onShow }: RowProps) => {
  const { progress, result } = job;
  const look = LOOKS[job.status];
  return (
    <tr>
      <th scope="row">
        <button type="button" class="link-button" aria-pressed={isShown} onClick={onShow}>
          {job.name}
        </button>
      </th>
      <td>{job.adapter}</td>
      <td>
        <span class={`pill ${look}`}>
          <span class={`dot ${look}`} />
          {job.status.replace('_', ' ')}
        </span>
      </td>
      <td class="number">{progress ? `${progress.step} / ${progress.steps}` : '–'}</td>
      <td class="number">{figure(result?.after?.loss ?? progress?.validation_loss)}</td>
      <td class="number">{figure(result?.after?.mase)}</td>
      <td>{formatRelative(Date.parse(job.created_at), Date.now())}</td>
      <td>
        <Actions job={job} />
      </td>
    </tr>
  );
};

const Empty = () => (
  <div class="card-body">
    <p>No training yet. Start one in a terminal:</p>
    <p class="mono">tollama train chronos-bolt-small --data sales.csv --name sales</p>
  </div>
);

const COLUMNS = ['Model', 'Adapter', 'Status', 'Step', 'Validation', 'MASE', 'Started', ''];

export const TrainingView = () => {
  const { jobs, problem } = useStore(runs);
  const [chosen, choose] = useState<string>();
  useEffect(() => {
    const poll = startPoll(readRuns, INTERVAL_MS);
    return () => poll.stop();
  }, []);
  const shown = jobs?.find(({ id }) => id === chosen) ?? jobs?.[0];
  return (
    <>
      {problem && <ProblemNote title="The trainings could not be read" problem={problem} />}
      {shown && <RunCurves key={`${shown.id} ${shown.started_at}`} job={shown} />}
      <section class="card" aria-label="Trainings">
        {jobs?.length === 0 && <Empty />}
        {jobs !== undefined && jobs.length > 0 && (
          <div class="table-scroll">
            <table class="table">
              <thead>
                <tr>
                  {COLUMNS.map((title) => (
                    <th key={title} scope="col">
                      {title}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {jobs.map((job) => (
                  <Row
                    key={job.id}
                    job={job}
                    isShown={job.id === shown?.id}
                    onShow={() => choose(job.id)}
                  />
                ))}
              </tbody>
            </table>
          </div>
        )}
      </section>
    </>
  );
};
