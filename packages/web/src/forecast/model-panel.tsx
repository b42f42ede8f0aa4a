/** The models to forecast with: several are drawn in one chart. */
import type { ListedModel } from '@tollama/client';
import { daemonState, isBuiltIn, isReady } from '../daemon/state.ts';
import { useStore } from '../ui/store.ts';
import { MAX_MODELS, setup, toggleModel } from './setup.ts';

const Choice = ({ name, isFull }: { name: string; isFull: boolean }) => {
  const { models } = useStore(setup);
  const isChosen = models.includes(name);
  return (
    <label class="chip">
      <input
        type="checkbox"
        checked={isChosen}
        disabled={isFull && !isChosen}
        onChange={() => toggleModel(name)}
      />
      <span>{name}</span>
    </label>
  );
};

interface GroupProps {
  readonly legend: string;
  readonly models: readonly ListedModel[];
}

/** The one that chooses by itself stands first. */
const ordered = (models: readonly ListedModel[]): ListedModel[] =>
  models.toSorted((a, b) => Number(b.name === 'auto') - Number(a.name === 'auto'));

const Group = ({ legend, models }: GroupProps) => {
  const { models: chosen } = useStore(setup);
  return (
    <fieldset class="field">
      <legend>{legend}</legend>
      <div class="chips">
        {ordered(models).map(({ name }) => (
          <Choice key={name} name={name} isFull={chosen.length >= MAX_MODELS} />
        ))}
      </div>
    </fieldset>
  );
};

export const ModelPanel = () => {
  const { models } = useStore(daemonState);
  const usable = models.filter((model) => model.installed && isReady(model));
  const installed = usable.filter((model) => !isBuiltIn(model));
  return (
    <section class="panel" aria-labelledby="model-title">
      <h2 id="model-title">Models</h2>
      {installed.length > 0 && <Group legend="Installed" models={installed} />}
      <Group legend="Built in" models={usable.filter(isBuiltIn)} />
      {installed.length === 0 && (
        <p class="soft small">
          Foundation models appear here once they are <a href="#/models">pulled</a>.
        </p>
      )}
    </section>
  );
};
