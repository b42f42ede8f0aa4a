/** Colours of the tokens as the canvas needs them: resolved for the theme that holds. */

const read = (probe: HTMLElement, name: string): string => {
  probe.style.color = `var(--${name})`;
  return getComputedStyle(probe).color;
};

export interface Palette {
  readonly history: string;
  readonly models: readonly string[];
  readonly axis: string;
  readonly grid: string;
  readonly line: string;
  readonly font: string;
}

export const MODEL_COLORS = [1, 2, 3, 4, 5, 6].map((n) => `series-${n}`);

/** Dashes of the lines, so that no colour is needed to tell them apart. */
export const DASHES: readonly (readonly number[])[] = [
  [],
  [7, 4],
  [2, 3],
  [10, 4, 2, 4],
  [4, 2],
  [12, 5],
];

export const readPalette = (): Palette => {
  const probe = document.createElement('span');
  // A colour on its way to the next would be read half-way.
  probe.style.transition = 'none';
  document.body.append(probe);
  try {
    return {
      history: read(probe, 'series-history'),
      models: MODEL_COLORS.map((name) => read(probe, name)),
      axis: read(probe, 'ink-soft'),
      grid: read(probe, 'chart-grid'),
      line: read(probe, 'line-strong'),
      font: getComputedStyle(document.body).fontFamily,
    };
  } finally {
    probe.remove();
  }
};

/** The same colour, see-through. `color` is `rgb(...)`, as browsers resolve colours. */
export const faded = (color: string, opacity: number): string =>
  color.replace(/^rgb\(([^)]+)\)$/, (_, parts: string) => `rgba(${parts}, ${opacity})`);
