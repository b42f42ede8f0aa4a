/** One pull: its bar while it runs, its error when it failed. */
import { Icon } from '../ui/icon.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { ProgressBar } from '../ui/progress-bar.tsx';
import { describeProgress, fractionOf } from './pull-progress.ts';
import { dismissPull, type Pull } from './pulls.ts';

export const PullRow = ({ pull }: { pull: Pull }) => {
  const { model, progress, problem, cancel } = pull;
  if (problem) {
    return (
      <ProblemNote
        title={`Pulling ${model} failed`}
        problem={problem}
        onDismiss={() => dismissPull(model)}
      />
    );
  }
  const fraction = fractionOf(progress);
  return (
    <div class="pull">
      <div class="pull-head">
        <strong>{model}</strong>
        <span class="soft small">
          {fraction !== undefined && `${Math.floor(fraction * 100)} % · `}
          {describeProgress(progress)}
        </span>
        <button type="button" class="button quiet icon-only" onClick={cancel}>
          <Icon name="close" />
          <span class="visually-hidden">Stop the pull of {model}</span>
        </button>
      </div>
      <ProgressBar label={`Pull of ${model}`} fraction={fraction} />
      {progress.warnings.map((warning) => (
        <p key={warning} class="small warn-text">
          {warning}
        </p>
      ))}
    </div>
  );
};
