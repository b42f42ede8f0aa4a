/**
 * Snapshots in memory, the fast tier of rollback. Buffers are shared memory, so that another thread hashes them
 * while training goes on, and are used again: taking a snapshot copies and allocates nothing once the ring is full.
 */
import type { CapturedState, Tensors } from '../trainer/captured-state.ts';
import type { TrainingRecord } from '../trainer/training-record.ts';
import { SnapshotRing } from './snapshot-ring.ts';

interface Place {
  readonly name: string;
  readonly dims: readonly number[];
  readonly offset: number;
  readonly length: number;
}

interface Layout {
  readonly parameters: readonly Place[];
  readonly moments: readonly Place[];
  readonly average: readonly Place[] | undefined;
}

export interface Snapshot {
  readonly step: number;
  readonly record: TrainingRecord;
  readonly bytes: SharedArrayBuffer;
  /** Of the bytes, as they were taken. */
  readonly sha256: Promise<string>;
  readonly layout: Layout;
}

export interface SnapshotStoreOptions {
  /** Twice the size of the first state when absent. */
  readonly maxBytes?: number | undefined;
  readonly hash: (bytes: SharedArrayBuffer) => Promise<string>;
}

export interface TakenSnapshot {
  /** False for a state that alone is bigger than the cap. */
  readonly isStored: boolean;
  readonly sizeBytes: number;
}

const FLOAT_BYTES = Float32Array.BYTES_PER_ELEMENT;
const DEFAULT_SNAPSHOTS = 2;

const place = (tensors: Tensors, from: number): { places: Place[]; end: number } => {
  let offset = from;
  const places = [...tensors].map(([name, { dims, data }]) => {
    const at = { name, dims, offset, length: data.length };
    offset += data.length * FLOAT_BYTES;
    return at;
  });
  return { places, end: offset };
};

const layoutOf = ({
  parameters,
  moments,
  average,
}: CapturedState): { layout: Layout; sizeBytes: number } => {
  const first = place(parameters, 0);
  const second = place(moments, first.end);
  const third = average && place(average, second.end);
  return {
    layout: { parameters: first.places, moments: second.places, average: third?.places },
    sizeBytes: third?.end ?? second.end,
  };
};

const copyInto = (bytes: SharedArrayBuffer, places: readonly Place[], tensors: Tensors): void => {
  for (const { name, offset, length } of places) {
    new Float32Array(bytes, offset, length).set(tensors.get(name)!.data as Float32Array);
  }
};

const viewsOf = (bytes: SharedArrayBuffer, places: readonly Place[]): Tensors =>
  new Map(
    places.map(({ name, dims, offset, length }) => [
      name,
      { dtype: 'float32', dims, data: new Float32Array(bytes, offset, length) },
    ]),
  );

/** The state of a snapshot, as views into its buffer: copy before the next one is taken. */
export const stateOf = ({ bytes, layout, record }: Snapshot): CapturedState => ({
  record,
  parameters: viewsOf(bytes, layout.parameters),
  moments: viewsOf(bytes, layout.moments),
  average: layout.average && viewsOf(bytes, layout.average),
});

export class SnapshotStore {
  readonly #options: SnapshotStoreOptions;
  #ring: SnapshotRing<Snapshot> | undefined;
  /** Buffers whose snapshots went. */
  readonly #spare: SharedArrayBuffer[] = [];
  #taken: ReadonlyMap<number, SharedArrayBuffer> = new Map();

  constructor(options: SnapshotStoreOptions) {
    this.#options = options;
  }

  get sizeBytes(): number {
    return this.#ring?.sizeBytes ?? 0;
  }

  /** Steps that are kept, in no order. */
  get steps(): readonly number[] {
    return this.#ring?.steps ?? [];
  }

  take(state: CapturedState): TakenSnapshot {
    const { layout, sizeBytes } = layoutOf(state);
    const maxBytes = this.#options.maxBytes ?? DEFAULT_SNAPSHOTS * sizeBytes;
    this.#ring ??= new SnapshotRing(maxBytes);
    const ring = this.#ring;
    if (sizeBytes > ring.maxBytes) return { isStored: false, sizeBytes };
    const { step } = state.record;
    const bytes = this.#buffer(sizeBytes);
    copyInto(bytes, layout.parameters, state.parameters);
    copyInto(bytes, layout.moments, state.moments);
    if (layout.average && state.average) copyInto(bytes, layout.average, state.average);
    const sha256 = this.#options.hash(bytes);
    // Told by whoever restores it; until then nobody waits.
    sha256.catch(() => {});
    const record = structuredClone(state.record);
    const before = this.#taken;
    ring.put(step, { step, record, bytes, sha256, layout }, sizeBytes);
    this.#taken = new Map(ring.steps.map((at) => [at, at === step ? bytes : before.get(at)!]));
    const kept = new Set(this.#taken.values());
    this.#spare.push(...[...before.values()].filter((buffer) => !kept.has(buffer)));
    return { isStored: true, sizeBytes };
  }

  /** The snapshot of the nearest step at or before the wanted one. */
  nearest(step: number): Snapshot | undefined {
    return this.#ring?.nearest(step)?.value;
  }

  clear(): void {
    this.#ring?.clear();
    this.#taken = new Map();
  }

  #buffer(sizeBytes: number): SharedArrayBuffer {
    const at = this.#spare.findIndex(({ byteLength }) => byteLength === sizeBytes);
    return at < 0 ? new SharedArrayBuffer(sizeBytes) : this.#spare.splice(at, 1)[0]!;
  }
}
