/** How far the times lie apart; the daemon finds out by itself unless told. */
import { useId } from 'preact/hooks';
import { useStore } from '../ui/store.ts';
import { frequencyOf, setup, shownSeries } from './setup.ts';

export const FrequencyField = () => {
  const now = useStore(setup);
  const id = useId();
  const shown = shownSeries(now);
  const found = shown && frequencyOf(shown);
  return (
    <div class="field">
      <label for={id}>Frequency</label>
      <input
        id={id}
        class="input mono"
        placeholder={found ? `auto (${found})` : 'auto'}
        value={now.frequency}
        autocomplete="off"
        spellcheck={false}
        onInput={({ currentTarget: { value } }) =>
          setup.update((before) => ({ ...before, frequency: value.trim() }))
        }
      />
    </div>
  );
};
