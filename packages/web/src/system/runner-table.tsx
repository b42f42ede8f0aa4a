/** The runner processes: one a family, started when it is needed. */
import type { RunnerState } from '@tollama/client';
import { formatRelative } from '../ui/quantity.ts';

const stateOf = ({ running, last_error }: RunnerState) => {
  if (running) return { look: 'good', word: 'running' };
  return last_error ? { look: 'bad', word: 'failed' } : { look: '', word: 'not started' };
};

const ago = (at: string | null): string =>
  at === null ? '–' : formatRelative(Date.parse(at), Date.now());

const Row = ({ runner }: { runner: RunnerState }) => {
  const { look, word } = stateOf(runner);
  const { family, pid, restarts, last_used_at, last_error } = runner;
  return (
    <tr>
      <th scope="row">{family}</th>
      <td>
        <span class={`pill ${look}`}>
          <span class={`dot ${look}`} />
          {word}
        </span>
      </td>
      <td class="number mono">{pid ?? '–'}</td>
      <td class="number">{restarts}</td>
      <td>{ago(last_used_at)}</td>
      <td class="wide">
        {last_error && (
          <>
            {last_error.message} <span class="soft">({ago(last_error.at)})</span>
          </>
        )}
      </td>
    </tr>
  );
};

/** Those that do something stand first. */
const byState = (a: RunnerState, b: RunnerState): number =>
  Number(b.running) - Number(a.running) ||
  Number(b.last_error !== null) - Number(a.last_error !== null) ||
  (a.family < b.family ? -1 : 1);

/** Those that never ran need no row. */
const hasStory = ({ running, last_error, last_used_at }: RunnerState): boolean =>
  running || last_error !== null || last_used_at !== null;

const Others = ({ families }: { families: readonly string[] }) => (
  <div class="card-body others">
    <h3 class="soft small">Not started; each starts with its first forecast</h3>
    <ul class="row">
      {families.map((family) => (
        <li key={family} class="pill">
          {family}
        </li>
      ))}
    </ul>
  </div>
);

export const RunnerTable = ({ runners }: { runners: readonly RunnerState[] }) => {
  const told = runners.filter(hasStory).toSorted(byState);
  const others = runners.filter((runner) => !hasStory(runner));
  return (
    <>
      {told.length > 0 && <Table runners={told} />}
      {others.length > 0 && <Others families={others.map(({ family }) => family)} />}
    </>
  );
};

const Table = ({ runners }: { runners: readonly RunnerState[] }) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keys
  <section class="table-scroll" tabIndex={0} aria-label="Runners, table">
    <table class="table">
      <thead>
        <tr>
          <th scope="col">Family</th>
          <th scope="col">State</th>
          <th scope="col" class="number">
            Process
          </th>
          <th scope="col" class="number">
            Restarts
          </th>
          <th scope="col">Last used</th>
          <th scope="col">Last error</th>
        </tr>
      </thead>
      <tbody>
        {runners.map((runner) => (
          <Row key={runner.family} runner={runner} />
        ))}
      </tbody>
    </table>
  </section>
);
