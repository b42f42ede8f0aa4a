/** Dark, light, or what the system says; the choice is kept in the browser. */
import { Icon, type IconName } from './icon.tsx';
import { createStore, useStore } from './store.ts';

const THEMES = ['system', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

const KEY = 'tollama.theme';
const LOOKS: Readonly<Record<Theme, { icon: IconName; label: string }>> = {
  system: { icon: 'auto', label: 'Theme of the system' },
  light: { icon: 'sun', label: 'Light theme' },
  dark: { icon: 'moon', label: 'Dark theme' },
};

const isTheme = (text: string | null): text is Theme => THEMES.some((theme) => theme === text);

/** Storage can be switched off in a browser; then the choice lasts as long as the page. */
const stored = (): Theme => {
  try {
    const text = localStorage.getItem(KEY);
    return isTheme(text) ? text : 'system';
  } catch {
    return 'system';
  }
};

export const theme = createStore<Theme>('system');

const apply = (chosen: Theme): void => {
  const { dataset } = document.documentElement;
  if (chosen === 'system') delete dataset.theme;
  else dataset.theme = chosen;
};

export const startTheme = (): void => {
  theme.set(stored());
  apply(theme.get());
};

const choose = (chosen: Theme): void => {
  apply(chosen);
  theme.set(chosen);
  try {
    localStorage.setItem(KEY, chosen);
  } catch {
    // Not kept then.
  }
};

export const ThemeSwitch = () => {
  const current = useStore(theme);
  return (
    <fieldset class="segments">
      <legend class="visually-hidden">Theme</legend>
      {THEMES.map((one) => (
        <button
          key={one}
          type="button"
          aria-pressed={one === current}
          title={LOOKS[one].label}
          onClick={() => choose(one)}
        >
          <Icon name={LOOKS[one].icon} size={15} />
          <span class="visually-hidden">{LOOKS[one].label}</span>
        </button>
      ))}
    </fieldset>
  );
};
