/** Models that can be pulled, by name; anything else of the hub by its address. */
import type { ListedModel } from '@tollama/client';
import { useId, useState } from 'preact/hooks';
import { isReady } from '../daemon/state.ts';
import { Icon } from '../ui/icon.tsx';
import { PullByAddress } from './pull-by-address.tsx';

export interface AvailableListProps {
  readonly models: readonly ListedModel[];
  readonly isPulling: (name: string) => boolean;
  readonly onPull: (model: ListedModel) => void;
}

const matches = ({ name, family, source }: ListedModel, words: string): boolean => {
  const text = `${name} ${family} ${source.repo_id}`.toLowerCase();
  return words
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
};

const contextOf = ({ metadata }: ListedModel): string => {
  const { context_length, max_context } = metadata;
  const points = [max_context, context_length].find((value) => typeof value === 'number');
  return points === undefined ? '' : ` · context ${points.toLocaleString('en')}`;
};

const AvailableRow = ({
  model,
  isBusy,
  onPull,
}: {
  model: ListedModel;
  isBusy: boolean;
  onPull: (model: ListedModel) => void;
}) => (
  <li class="model">
    <div class="model-name">
      <h3>{model.name}</h3>
      <span class="pill">{model.family}</span>
      {model.license.needs_acceptance && <span class="pill warn">licence to accept</span>}
      {!isReady(model) && <span class="pill">cannot forecast yet</span>}
    </div>
    <p class="model-facts soft small">
      {model.source.type === 'huggingface' ? model.source.repo_id : 'no download'}
      {` · ${model.license.type}`}
      {contextOf(model)}
    </p>
    <div class="model-actions">
      <button
        type="button"
        class="button"
        aria-disabled={isBusy}
        onClick={() => !isBusy && onPull(model)}
      >
        <Icon name="download" size={14} />
        Pull <span class="visually-hidden">{model.name}</span>
      </button>
    </div>
  </li>
);

const SearchField = ({ words, onInput }: { words: string; onInput: (words: string) => void }) => {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>Search</label>
      <div class="search">
        <Icon name="search" />
        <input
          id={id}
          class="input"
          type="search"
          placeholder="Name, family or repository"
          value={words}
          onInput={(event) => onInput(event.currentTarget.value)}
        />
      </div>
    </div>
  );
};

export const AvailableList = ({ models, isPulling, onPull }: AvailableListProps) => {
  const [words, setWords] = useState('');
  const found = models.filter((model) => matches(model, words.trim()));
  return (
    <>
      <div class="card-body model-tools">
        <SearchField words={words} onInput={setWords} />
        <PullByAddress />
      </div>
      {found.length === 0 ? (
        <p class="empty" role="status">
          {words ? `Nothing matches ‘${words}’.` : 'Every model on offer is installed.'}
        </p>
      ) : (
        <ul class="model-list">
          {found.map((model) => (
            <AvailableRow
              key={model.name}
              model={model}
              isBusy={isPulling(model.name)}
              onPull={onPull}
            />
          ))}
        </ul>
      )}
    </>
  );
};
