/** The loss curves of a training as they grow. */
import type { JobState } from '@tollama/core/training-job';
import { useEffect, useState } from 'preact/hooks';
import { Sparkline } from '../metrics/sparkline.tsx';
import { type Problem, problemOf } from '../ui/problem.ts';
import { ProblemNote } from '../ui/problem-note.tsx';
import { type Curves, NO_CURVES } from './curves.ts';
import { followRun } from './runs.ts';

/** Points that a curve shows; more are thinned out evenly. */
const MOST_POINTS = 300;
const NOTES = 5;

const thinned = (values: readonly number[]): readonly number[] => {
  if (values.length <= MOST_POINTS) return values;
  const stride = values.length / MOST_POINTS;
  return Array.from({ length: MOST_POINTS }, (_, i) => values[Math.floor(i * stride)]!);
};

const words = (value: number | undefined): string => value?.toPrecision(4) ?? '–';

const StepCurve = ({ losses }: { losses: readonly number[] }) => {
  const points = thinned(losses);
  return (
    <figure class="card-body">
      <figcaption>
        Loss of the steps: {words(losses[0])} at first, {words(losses.at(-1))} now
      </figcaption>
      <Sparkline first={points} slots={Math.max(2, points.length)} />
    </figure>
  );
};

const EpochCurve = ({ epochs }: Pick<Curves, 'epochs'>) => (
  <figure class="card-body">
    <figcaption>
      Validation: {words(epochs.at(-1)?.validation)} after {epochs.length} epochs (thin: loss of
      training, {words(epochs.at(-1)?.training)})
    </figcaption>
    <Sparkline
      first={epochs.map(({ validation }) => validation)}
      second={epochs.map(({ training }) => training)}
      slots={Math.max(2, epochs.length)}
    />
  </figure>
);

export const RunCurves = ({ job }: { job: JobState }) => {
  const [curves, setCurves] = useState(NO_CURVES);
  const [problem, setProblem] = useState<Problem>();
  useEffect(() => {
    const leave = new AbortController();
    followRun(job.id, setCurves, leave.signal).catch((error: unknown) => {
      if (!leave.signal.aborted) setProblem(problemOf(error));
    });
    return () => leave.abort();
  }, [job.id]);
  const error = job.result?.error;
  return (
    <section class="card" aria-label={`Training of ${job.name}`}>
      <h2 class="card-head">{job.name}</h2>
      {problem && <ProblemNote title="The events could not be read" problem={problem} />}
      {error && <p class="card-body">{error.message}</p>}
      {curves.losses.length > 0 && <StepCurve losses={curves.losses} />}
      {curves.epochs.length > 0 && <EpochCurve epochs={curves.epochs} />}
      {curves.notes.length > 0 && (
        <ul class="card-body">
          {curves.notes.slice(-NOTES).map(({ seq, text }) => (
            <li key={seq}>{text}</li>
          ))}
        </ul>
      )}
    </section>
  );
};
