/** Pulls what has no name here: a repository of the hub, or a folder of the daemon's machine. */
import { useId, useState } from 'preact/hooks';
import { Icon } from '../ui/icon.tsx';
import { startPull } from './pulls.ts';

export const PullByAddress = () => {
  const [address, setAddress] = useState('');
  const [id, hintId] = [useId(), useId()];
  const pull = (event: Event): void => {
    event.preventDefault();
    const model = address.trim();
    if (model === '') return;
    setAddress('');
    void startPull({ model });
  };
  return (
    <form onSubmit={pull}>
      <div class="field">
        <label for={id}>Or pull by address</label>
        <div class="row nowrap">
          <input
            id={id}
            class="input mono"
            placeholder="owner/name@revision"
            value={address}
            aria-describedby={hintId}
            autocomplete="off"
            autocapitalize="off"
            spellcheck={false}
            onInput={(event) => setAddress(event.currentTarget.value)}
          />
          <button type="submit" class="button" disabled={address.trim() === ''}>
            <Icon name="download" size={14} />
            Pull
          </button>
        </div>
        <span id={hintId} class="hint">
          A repository of the hub, or a folder on the daemon’s machine
        </span>
      </div>
    </form>
  );
};
