/** A chunk of a panel as bytes: what a job's hash stands for. The same series make the same bytes everywhere. */
import { TollamaError } from '@tollama/core/errors';

/** One series out of a panel, ascending in time. */
export interface PanelSeries {
  readonly id: string;
  /** [length] microseconds since 1970, or whole numbers that count; empty where there is a problem. */
  readonly times: Float64Array;
  /** [length], NaN where missing. */
  readonly values: Float64Array;
  /** Why it cannot be forecast. */
  readonly problem?: string | undefined;
}

/** `time`: microseconds; `index`: counted integers. */
export type TimeKind = 'time' | 'index';

export interface PanelBlock {
  readonly kind: TimeKind;
  readonly series: readonly PanelSeries[];
}

/** length, and for regular times the first one and the step. */
type Shape = readonly [length: number] | readonly [length: number, first: number, step: number];

interface Header {
  readonly kind: TimeKind;
  readonly ids: readonly string[];
  readonly shapes: readonly Shape[];
  readonly problems: readonly (readonly [at: number, text: string])[];
}

const LENGTH_BYTES = 4;

const shapeOf = ({ times }: PanelSeries): Shape => {
  const { length } = times;
  if (length < 2) return [length];
  const first = times[0]!;
  const step = times[1]! - first;
  for (let i = 0; i < length; i++) if (!Object.is(times[i], first + i * step)) return [length];
  return [length, first, step];
};

/** Header and doubles, the doubles at a multiple of 8. */
export const joinBlock = (header: unknown, parts: readonly Float64Array[]): Uint8Array => {
  const text = new TextEncoder().encode(JSON.stringify(header));
  const from = Math.ceil((LENGTH_BYTES + text.length) / 8) * 8;
  const bytes = new Uint8Array(from + parts.reduce((sum, part) => sum + part.byteLength, 0));
  new DataView(bytes.buffer).setUint32(0, text.length, true);
  bytes.set(text, LENGTH_BYTES);
  let at = from;
  for (const part of parts) {
    bytes.set(new Uint8Array(part.buffer, part.byteOffset, part.byteLength), at);
    at += part.byteLength;
  }
  return bytes;
};

/** Throws INTERNAL for bytes that are no block. */
export const splitBlock = (bytes: Uint8Array): { header: unknown; doubles: Float64Array } => {
  try {
    const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
    const text = new TextDecoder().decode(bytes.subarray(LENGTH_BYTES, LENGTH_BYTES + length));
    const from = Math.ceil((LENGTH_BYTES + length) / 8) * 8;
    // A copy, since a buffer of a network may start anywhere (and a Buffer's own slice copies nothing).
    const copy = Uint8Array.from(bytes.subarray(from));
    return { header: JSON.parse(text), doubles: new Float64Array(copy.buffer) };
  } catch (cause) {
    throw new TollamaError('INTERNAL', 'the bytes of a chunk are no block', { cause });
  }
};

export const encodePanelBlock = ({ kind, series }: PanelBlock): Uint8Array => {
  const shapes = series.map(shapeOf);
  const header: Header = {
    kind,
    ids: series.map(({ id }) => id),
    shapes,
    problems: series.flatMap(({ problem }, i) => (problem === undefined ? [] : [[i, problem]])),
  };
  const parts = series.flatMap(({ times, values }, i) =>
    shapes[i]!.length === 1 ? [times, values] : [values],
  );
  return joinBlock(header, parts);
};

export const decodePanelBlock = (bytes: Uint8Array): PanelBlock => {
  const { header, doubles } = splitBlock(bytes);
  const { kind, ids, shapes, problems } = header as Header;
  const problemAt = new Map(problems);
  let at = 0;
  const take = (length: number): Float64Array => {
    at += length;
    return doubles.subarray(at - length, at);
  };
  const series = ids.map((id, i): PanelSeries => {
    const [length, first, step] = shapes[i]!;
    const times =
      first === undefined || step === undefined
        ? take(length)
        : Float64Array.from({ length }, (_, t) => first + t * step);
    return { id, times, values: take(length), problem: problemAt.get(i) };
  });
  return { kind, series };
};
