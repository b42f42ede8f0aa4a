/** Asks for an API key when the daemon wants one. */
import { useId, useState } from 'preact/hooks';
import { access, setApiKey } from './daemon/connection.ts';
import { refreshState } from './daemon/state.ts';
import { Dialog } from './ui/dialog.tsx';
import { useStore } from './ui/store.ts';

interface KeyFormProps {
  readonly id: string;
  readonly value: string;
  readonly onInput: (value: string) => void;
  readonly onSubmit: () => void;
}

const KeyForm = ({ id, value, onInput, onSubmit }: KeyFormProps) => {
  const { reason, hasKey } = useStore(access);
  const [inputId, reasonId] = [useId(), useId()];
  const submit = (event: Event): void => {
    event.preventDefault();
    onSubmit();
  };
  return (
    <form id={id} class="stack" onSubmit={submit}>
      <p class="soft" id={reasonId} role={hasKey ? 'alert' : undefined}>
        {hasKey ? `The daemon refused the key: ${reason}.` : `The daemon says: ${reason}.`} Keys
        stand in its config.json under <code>auth.api_keys</code>.
      </p>
      <div class="field">
        <label for={inputId}>API key</label>
        <input
          id={inputId}
          class="input mono"
          type="password"
          autocomplete="off"
          aria-describedby={reasonId}
          value={value}
          onInput={(event) => onInput(event.currentTarget.value)}
        />
        <span class="hint">It stays in this tab and goes to this daemon only.</span>
      </div>
    </form>
  );
};

export const KeyDialog = () => {
  const { isLocked } = useStore(access);
  const [key, setKey] = useState('');
  const formId = useId();
  if (!isLocked) return null;
  const unlock = (): void => {
    if (key.trim() === '') return;
    setApiKey(key.trim());
    setKey('');
    void refreshState();
  };
  return (
    <Dialog
      title="This daemon asks for a key"
      onClose={() => access.update((before) => ({ ...before, isLocked: false }))}
      actions={
        <button type="submit" form={formId} class="button primary" disabled={key.trim() === ''}>
          Unlock
        </button>
      }
    >
      <KeyForm id={formId} value={key} onInput={setKey} onSubmit={unlock} />
    </Dialog>
  );
};
