/** Which models must leave so that another one fits: a pure decision, so that it can be tested as one. */

/** A model that is loaded or being loaded. */
export interface Resident {
  readonly name: string;
  /** Memory that it takes, as estimated before its load. */
  readonly bytes: number;
  readonly lastUsedMs: number;
  /** Forecasts under way; a model in use never leaves. */
  readonly inUse: number;
}

export interface Limits {
  /** Models that may be loaded at the same time; undefined: any number. */
  readonly maxModels: number | undefined;
  readonly memoryBytes: number;
}

export interface Wanted {
  readonly name: string;
  readonly bytes: number;
}

export type Decision =
  /** It is loaded, or fits beside the others. */
  | { readonly kind: 'run' }
  /** These leave first, least recently used first. */
  | { readonly kind: 'evict'; readonly names: readonly string[] }
  /** Everything that could leave is in use; it fits once some of it is done. */
  | { readonly kind: 'wait' }
  /** It does not fit even alone. */
  | { readonly kind: 'refuse' };

export const decide = (
  wanted: Wanted,
  residents: readonly Resident[],
  limits: Limits,
): Decision => {
  if (residents.some(({ name }) => name === wanted.name)) return { kind: 'run' };
  if (wanted.bytes > limits.memoryBytes) return { kind: 'refuse' };
  const fits = (kept: readonly Resident[]): boolean =>
    (limits.maxModels === undefined || kept.length < limits.maxModels) &&
    kept.reduce((sum, { bytes }) => sum + bytes, wanted.bytes) <= limits.memoryBytes;

  let kept = [...residents];
  const names: string[] = [];
  const idle = residents
    .filter(({ inUse }) => inUse === 0)
    .toSorted((a, b) => a.lastUsedMs - b.lastUsedMs);
  while (!fits(kept)) {
    const next = idle.shift();
    if (!next) return { kind: 'wait' };
    names.push(next.name);
    kept = kept.filter(({ name }) => name !== next.name);
  }
  return names.length === 0 ? { kind: 'run' } : { kind: 'evict', names };
};

const RUNTIME_BYTES = 250e6;
/** Weights of linear layers take a quarter; embeddings and norms stay as they are. */
const INT8_SHARE = 0.35;

/** What a loaded model takes: its weights and what running them needs. Models without weights are free. */
export const estimateBytes = (weightBytes: number, precision: unknown): number =>
  weightBytes === 0 ? 0 : RUNTIME_BYTES + weightBytes * (precision === 'int8' ? INT8_SHARE : 1);
