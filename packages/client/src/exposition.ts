/** Reads metrics in the text format of Prometheus. */

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;

const unescaped = (text: string): string =>
  text.replace(/\\(.)/g, (_, letter: string) => (letter === 'n' ? '\n' : letter));

const toNumber = (text: string): number => {
  if (text === '+Inf') return Number.POSITIVE_INFINITY;
  return text === '-Inf' ? Number.NEGATIVE_INFINITY : Number(text);
};

/**
 * @example
 * parseExposition('up{job="a"} 1'); // [{ name: 'up', labels: { job: 'a' }, value: 1 }]
 */
export const parseExposition = (text: string): Sample[] =>
  text.split('\n').flatMap((line) => {
    const match = line.startsWith('#') ? null : LINE.exec(line);
    if (!match) return [];
    const [, name, labels = '', value] = match;
    const pairs = [...labels.matchAll(LABEL)].map(([, key, escaped]) => [key, unescaped(escaped!)]);
    return [{ name: name!, labels: Object.fromEntries(pairs), value: toNumber(value!) }];
  });

/** The sum over all label sets that `accept` lets through. */
export const sumOf = (
  samples: readonly Sample[],
  name: string,
  accept: (labels: Sample['labels']) => boolean = () => true,
): number =>
  samples.reduce(
    (sum, sample) => (sample.name === name && accept(sample.labels) ? sum + sample.value : sum),
    0,
  );
