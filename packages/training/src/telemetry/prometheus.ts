/** The metrics of a run in Prometheus' text format: dots become underscores, milliseconds seconds. */
import { BOUNDS_MS, type Labels, type MetricRegistry } from './metric-registry.ts';

const nameOf = (name: string): string =>
  name.replace(/_ms$/, '_seconds').replaceAll(/[^a-zA-Z0-9_]/g, '_');

const quoted = (text: string): string =>
  text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');

const labelled = (name: string, labels: Labels): string => {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}="${quoted(value)}"`);
  return pairs.length > 0 ? `${name}{${pairs.join(',')}}` : name;
};

/** In seconds where the name says milliseconds. */
const scaled = (name: string, value: number): number =>
  name.endsWith('_ms') ? value / 1000 : value;

interface Line {
  readonly family: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly lines: readonly string[];
}

const histogramLines = (registry: MetricRegistry): Line[] =>
  registry.histograms().map(({ name, labels, count, sum, buckets }) => {
    const family = nameOf(name);
    const bounds = BOUNDS_MS.map((bound, i) => {
      const le = String(scaled(name, bound));
      return `${labelled(`${family}_bucket`, { ...labels, le })} ${buckets[i]}`;
    });
    return {
      family,
      type: 'histogram',
      lines: [
        ...bounds,
        `${labelled(`${family}_bucket`, { ...labels, le: '+Inf' })} ${count}`,
        `${labelled(`${family}_sum`, labels)} ${scaled(name, sum)}`,
        `${labelled(`${family}_count`, labels)} ${count}`,
      ],
    };
  });

/** The text of the whole registry, ending in a line break; empty when nothing is known. */
export const prometheusText = (registry: MetricRegistry): string => {
  const plain = (type: 'counter' | 'gauge') =>
    registry[type === 'counter' ? 'counters' : 'gauges']().map(
      ({ name, labels, value }): Line => ({
        family: nameOf(name),
        type,
        lines: [`${labelled(nameOf(name), labels)} ${scaled(name, value)}`],
      }),
    );
  const all = [...plain('counter'), ...plain('gauge'), ...histogramLines(registry)];
  const families = Map.groupBy(all, ({ family }) => family);
  return [...families]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([family, entries]) => {
      const lines = entries.flatMap((entry) => entry.lines);
      return `# TYPE ${family} ${entries[0]!.type}\n${lines.join('\n')}\n`;
    })
    .join('');
};
