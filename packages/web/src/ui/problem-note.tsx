/** An error in words: what was wrong, and what to do. */
import { Icon } from './icon.tsx';
import type { Problem } from './problem.ts';

export interface ProblemNoteProps {
  readonly problem: Problem;
  /** What failed, such as `Pulling mock failed`. */
  readonly title?: string;
  readonly onDismiss?: (() => void) | undefined;
}

export const ProblemNote = ({ problem, title, onDismiss }: ProblemNoteProps) => (
  <div class="note bad" role="alert">
    <Icon name="warning" />
    <div>
      {title !== undefined && <strong>{title}</strong>}
      <p>{problem.message}</p>
      {problem.hint !== undefined && <p class="hint soft">Hint: {problem.hint}</p>}
    </div>
    {onDismiss && (
      <button type="button" class="button quiet icon-only" onClick={onDismiss}>
        <Icon name="close" />
        <span class="visually-hidden">Dismiss</span>
      </button>
    )}
  </div>
);

export const WarningNote = ({ warnings }: { warnings: readonly string[] }) => (
  <div class="note warn">
    <Icon name="warning" />
    <ul>
      {warnings.map((warning) => (
        <li key={warning}>{warning}</li>
      ))}
    </ul>
  </div>
);
