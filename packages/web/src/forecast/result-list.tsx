/** How each model did: its time, its score against what was held out, what it says about itself. */
import { ProblemNote, WarningNote } from '../ui/problem-note.tsx';
import { formatMilliseconds, formatValue } from '../ui/quantity.ts';
import { Swatch } from './readout.tsx';
import type { ModelResult, Run } from './run.ts';
import { type Score, scoreOf } from './score.ts';
import { seasonOf } from './setup.ts';
import type { SeriesData } from './table-series.ts';

const percent = (share: number): string => `${Math.round(share * 100)} %`;

interface ResultListProps {
  readonly run: Run;
  /** Place of the shown series in the run. */
  readonly place: number;
  /** The shown series with what was held out. */
  readonly whole: SeriesData | undefined;
}

const scoreFor = (
  result: ModelResult,
  { run, place, whole }: ResultListProps,
): Score | undefined => {
  const [history, forecast] = [run.series[place], result.response?.forecasts[place]];
  if (!run.isHeldOut || !whole || !history || !forecast) return undefined;
  const actuals = whole.values.slice(-run.horizon);
  const past = { values: history.values, season: seasonOf(history) };
  return scoreOf(forecast, actuals, past, run.levels);
};

const ScoreCells = ({ score }: { score: Score | undefined }) => (
  <>
    <td class="number">{score ? formatValue(score.mae) : ''}</td>
    <td class="number">{score?.mase === undefined ? '' : score.mase.toFixed(2)}</td>
    <td class="number">
      {score?.coverage && `${percent(score.coverage.share)} of ${percent(score.coverage.promised)}`}
    </td>
  </>
);

/** What a model that chooses says it chose, and why. */
const choiceOf = (result: ModelResult, place: number): string | undefined => {
  const { chosen, why } = result.response?.forecasts[place]?.explanation ?? {};
  if (typeof chosen !== 'string') return undefined;
  return `${result.model} chose ${chosen}${typeof why === 'string' ? `: ${why}` : ''}.`;
};

const Choices = ({ run, place }: ResultListProps) => {
  const choices = run.results.flatMap((result) => choiceOf(result, place) ?? []);
  return choices.map((choice) => (
    <p key={choice} class="soft small">
      {choice}
    </p>
  ));
};

const ResultRow = ({
  result,
  index,
  list,
}: {
  result: ModelResult;
  index: number;
  list: ResultListProps;
}) => {
  const { response, problem, model } = result;
  return (
    <tr>
      <th scope="row">
        <span class="row nowrap">
          <Swatch model={index} />
          {model}
        </span>
      </th>
      <td class="number">
        {response && formatMilliseconds(response.timing.inference_ms)}
        {!response && !problem && <span class="spinner" role="img" aria-label="running" />}
        {problem && <span class="pill bad">failed</span>}
      </td>
      <td class="number">{response && formatMilliseconds(response.timing.model_load_ms)}</td>
      {list.run.isHeldOut && <ScoreCells score={scoreFor(result, list)} />}
    </tr>
  );
};

const ResultHead = ({ isHeldOut }: { isHeldOut: boolean }) => (
  <thead>
    <tr>
      <th scope="col">Model</th>
      <th scope="col" class="number">
        Inference
      </th>
      <th scope="col" class="number">
        Load
      </th>
      {isHeldOut && (
        <>
          <th scope="col" class="number">
            <abbr title="Mean absolute error over what was held out">MAE</abbr>
          </th>
          <th scope="col" class="number">
            <abbr title="Error over that of seasonal naive within the history: below 1 is better">
              MASE
            </abbr>
          </th>
          <th scope="col" class="number">
            <abbr title="Share of what was held out within the widest interval, and what it promises">
              Coverage
            </abbr>
          </th>
        </>
      )}
    </tr>
  </thead>
);

export const ResultList = (props: ResultListProps) => {
  const { run } = props;
  return (
    <div class="stack">
      {run.results.map(
        ({ model, problem, response }) =>
          (problem && <ProblemNote key={model} title={`${model} failed`} problem={problem} />) ||
          (response?.warnings && <WarningNote key={model} warnings={response.warnings} />),
      )}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keys */}
      <section class="card table-scroll" tabIndex={0} aria-label="Models of this run">
        <table class="table">
          <ResultHead isHeldOut={run.isHeldOut} />
          <tbody>
            {run.results.map((result, index) => (
              <ResultRow key={result.model} result={result} index={index} list={props} />
            ))}
          </tbody>
        </table>
      </section>
      <Choices {...props} />
    </div>
  );
};
