interface ProgressBarProps {
  /** What goes on, for those who do not see the bar. */
  readonly label: string;
  /** Between 0 and 1; undefined where nobody knows. */
  readonly fraction: number | undefined;
}

export const ProgressBar = ({ label, fraction }: ProgressBarProps) => (
  <div
    class={fraction === undefined ? 'progress indeterminate' : 'progress'}
    role="progressbar"
    aria-label={label}
    aria-valuemin={0}
    aria-valuemax={100}
    aria-valuenow={fraction === undefined ? undefined : Math.round(fraction * 100)}
  >
    <span style={fraction === undefined ? {} : { width: `${fraction * 100}%` }} />
  </div>
);
