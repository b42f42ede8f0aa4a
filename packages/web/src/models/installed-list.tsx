/** Installed models: what each takes, whether it is loaded, and what can be done with it. */
import type { DashboardState, InstalledModel } from '@tollama/client';
import { Icon } from '../ui/icon.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { formatBytes, formatRelative } from '../ui/quantity.ts';
import { useStore } from '../ui/store.ts';
import { loadModel, modelWork, setWork, unloadModel, type Work } from './memory.ts';

type LoadedModel = NonNullable<DashboardState['ps']>['models'][number];

const untilText = ({ expires_at, size }: LoadedModel): string => {
  const until =
    expires_at === null ? '' : `, leaves ${formatRelative(Date.parse(expires_at), Date.now())}`;
  return `Loaded${size > 0 ? ` · ${formatBytes(size)} of memory` : ''}${until}`;
};

const Busy = ({ work }: { work: Work }) => (
  <span class="pill">
    <span class="spinner" aria-hidden="true" />
    {work}
  </span>
);

interface InstalledRowProps {
  readonly model: InstalledModel;
  readonly loaded: LoadedModel | undefined;
  readonly onDelete: (model: InstalledModel) => void;
}

/** While it works it is not disabled, which would take the focus away. */
const MemoryButton = ({
  name,
  isLoaded,
  isBusy,
}: {
  name: string;
  isLoaded: boolean;
  isBusy: boolean;
}) => (
  <button
    type="button"
    class="button"
    aria-disabled={isBusy}
    onClick={() => !isBusy && void (isLoaded ? unloadModel(name) : loadModel(name))}
  >
    <Icon name={isLoaded ? 'stop' : 'play'} size={13} />
    {isLoaded ? 'Unload' : 'Load'} <span class="visually-hidden">{name}</span>
  </button>
);

const ModelTitle = ({
  model: { name, family },
  loaded,
  work,
}: Omit<InstalledRowProps, 'onDelete'> & { work: Work | undefined }) => (
  <div class="model-name">
    <h3>{name}</h3>
    <span class="pill">{family}</span>
    {work && <Busy work={work} />}
    {!work && loaded && (
      <span class="pill good">
        <span class="dot good" />
        {untilText(loaded)}
      </span>
    )}
  </div>
);

const ModelFacts = ({ size, digest, modified_at }: InstalledModel) => (
  <p class="model-facts soft small">
    {size > 0 ? formatBytes(size) : 'no weights'}
    {digest && digest !== 'local' && <span class="mono"> · {digest.slice(0, 12)}</span>}
    {` · installed ${formatRelative(Date.parse(modified_at), Date.now())}`}
  </p>
);

const InstalledRow = ({ model, loaded, onDelete }: InstalledRowProps) => {
  const { name } = model;
  const { work, problem } = useStore(modelWork).get(name) ?? {
    work: undefined,
    problem: undefined,
  };
  return (
    <li class="model">
      <ModelTitle model={model} loaded={loaded} work={work} />
      <ModelFacts {...model} />
      <div class="model-actions">
        <MemoryButton name={name} isLoaded={loaded !== undefined} isBusy={work !== undefined} />
        <button
          type="button"
          class="button quiet icon-only"
          aria-disabled={work !== undefined}
          title="Delete"
          onClick={() => work === undefined && onDelete(model)}
        >
          <Icon name="trash" />
          <span class="visually-hidden">Delete {name}</span>
        </button>
      </div>
      {problem && (
        <div class="model-problem">
          <ProblemNote problem={problem} onDismiss={() => setWork(name, undefined)} />
        </div>
      )}
    </li>
  );
};

export interface InstalledListProps {
  readonly state: DashboardState;
  readonly onDelete: (model: InstalledModel) => void;
}

export const InstalledList = ({ state, onDelete }: InstalledListProps) => {
  const installed = state.info?.models.installed ?? [];
  if (installed.length === 0) {
    return (
      <p class="empty">
        No model is installed yet. Pull one below; the built-in models need none of this.
      </p>
    );
  }
  return (
    <ul class="model-list">
      {installed.map((model) => (
        <InstalledRow
          key={model.name}
          model={model}
          loaded={state.ps?.models.find(({ name }) => name === model.name)}
          onDelete={onDelete}
        />
      ))}
    </ul>
  );
};
