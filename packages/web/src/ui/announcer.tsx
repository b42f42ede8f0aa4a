/** Tells screen readers what happened where the eye sees it by itself. */
import { createStore, useStore } from './store.ts';

const message = createStore<{ readonly text: string; readonly turn: number }>({
  text: '',
  turn: 0,
});

export const announce = (text: string): void =>
  message.update(({ turn }) => ({ text, turn: turn + 1 }));

export const Announcer = () => {
  const { text, turn } = useStore(message);
  // The same text twice is read twice only when the node changes.
  return (
    <div class="visually-hidden" role="status" aria-live="polite">
      <span key={turn}>{text}</span>
    </div>
  );
};
