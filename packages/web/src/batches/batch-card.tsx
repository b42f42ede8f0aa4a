/** One run: what it forecasts, how far it is, how it ended. */
import { type BatchRun, type BatchState, isBatchActive } from '@tollama/core/batch-run';
import { Icon } from '../ui/icon.tsx';
import { ProgressBar } from '../ui/progress-bar.tsx';
import { forgetBatch, stopBatch } from './batch-runs.ts';
import { describeBatch, describeEngine, fractionOfBatch } from './describe-batch.ts';

const LOOKS: Readonly<Record<BatchState, string>> = {
  planning: 'good',
  running: 'good',
  done: 'good',
  stopped: '',
  interrupted: 'bad',
  failed: 'bad',
};

const Action = ({ run }: { run: BatchRun }) => {
  const isActive = isBatchActive(run);
  return (
    <button
      type="button"
      class="button"
      onClick={() => void (isActive ? stopBatch(run.id) : forgetBatch(run.id))}
    >
      <Icon name={isActive ? 'stop' : 'close'} /> {isActive ? 'Stop' : 'Forget'}
      <span class="visually-hidden"> the batch into {run.output}</span>
    </button>
  );
};

const Ending = ({ run: { status, error } }: { run: BatchRun }) => {
  if (error) {
    return (
      <p class="warn-text">
        {error.message}
        {error.hint !== undefined && `; ${error.hint}`}
      </p>
    );
  }
  const isResumable = status === 'stopped' || status === 'interrupted';
  return isResumable ? <p class="small">The same command goes on with it.</p> : null;
};

export const BatchCard = ({ run }: { run: BatchRun }) => {
  const { status, model, horizon, inputs, output } = run;
  const fraction = fractionOfBatch(run);
  const look = LOOKS[status];
  return (
    <article class="card" aria-label={`Batch into ${output}`}>
      <div class="card-head">
        <h2 class="mono">{output}</h2>
        <span class={`pill ${look}`}>
          <span class={`dot ${look}`} />
          {status}
        </span>
        <Action run={run} />
      </div>
      <div class="card-body stack close">
        <p>
          {model}, {horizon} steps, from <span class="mono">{inputs.join(', ')}</span>
        </p>
        {(isBatchActive(run) || fraction !== undefined) && (
          <ProgressBar label={`Batch into ${output}`} fraction={fraction} />
        )}
        <p>
          {fraction !== undefined && status !== 'done' && `${Math.floor(fraction * 100)} % · `}
          {describeBatch(run)}
        </p>
        <p class="soft small">{describeEngine(run, Date.now())}</p>
        <Ending run={run} />
      </div>
    </article>
  );
};
