/** How far, how sure, and whether to check it: horizon, quantiles, hold-out. */
import { useId } from 'preact/hooks';
import { useStore } from '../ui/store.ts';
import { parseLevels } from './quantile-levels.ts';
import { setup } from './setup.ts';

const Horizon = () => {
  const { horizon } = useStore(setup);
  const id = useId();
  return (
    <div class="field">
      <label for={id}>Steps</label>
      <input
        id={id}
        class="input"
        type="number"
        min={1}
        max={10_000}
        step={1}
        required
        value={Number.isNaN(horizon) ? '' : horizon}
        aria-invalid={!(Number.isInteger(horizon) && horizon > 0)}
        onInput={({ currentTarget: { valueAsNumber } }) =>
          setup.update((before) => ({ ...before, horizon: valueAsNumber }))
        }
      />
    </div>
  );
};

const Quantiles = () => {
  const { levels } = useStore(setup);
  const [id, problemId] = [useId(), useId()];
  const { problem } = parseLevels(levels);
  return (
    <div class="field">
      <label for={id}>Quantiles</label>
      <input
        id={id}
        class="input mono"
        value={levels}
        autocomplete="off"
        spellcheck={false}
        aria-invalid={problem !== undefined}
        aria-describedby={problemId}
        onInput={({ currentTarget: { value } }) =>
          setup.update((before) => ({ ...before, levels: value }))
        }
      />
      <span id={problemId} class={problem ? 'problem' : 'hint'}>
        {problem ?? 'Levels that mirror each other make a band.'}
      </span>
    </div>
  );
};

const HoldOut = () => {
  const { isHeldOut } = useStore(setup);
  return (
    <label class="check small">
      <input
        type="checkbox"
        checked={isHeldOut}
        onChange={({ currentTarget: { checked } }) =>
          setup.update((before) => ({ ...before, isHeldOut: checked }))
        }
      />
      <span>Hold out the end of the history, and score the models on it</span>
    </label>
  );
};

export const OptionsPanel = () => (
  <section class="panel" aria-labelledby="options-title">
    <h2 id="options-title">Horizon</h2>
    <div class="columns narrow-first">
      <Horizon />
      <Quantiles />
    </div>
    <HoldOut />
  </section>
);
