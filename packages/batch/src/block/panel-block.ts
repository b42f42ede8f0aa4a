/** A chunk of a panel as bytes: what a job's hash stands for. The same series make the same bytes everywhere. */
import { TollamaError } from '@tollama/core/errors';

/** Numbers (NaN where missing) or words (null where missing). */
export type PanelCovariate = Float64Array | readonly (string | null)[];

export interface SeriesCovariates {
  /** [length] for columns of the past, [length + future] for those known ahead, in the order of the block's columns. */
  readonly columns: readonly PanelCovariate[];
  /** [future] as `times`. */
  readonly futureTimes: Float64Array;
  readonly statics: Readonly<Record<string, number | string>>;
}

/** A covariate that changes over time. */
export interface CovariateName {
  readonly name: string;
  /** Whether it is known over the horizon too. */
  readonly isKnown: boolean;
}

/** One series out of a panel, ascending in time. */
export interface PanelSeries {
  readonly id: string;
  /** [length] microseconds since 1970, or whole numbers that count; empty where there is a problem. */
  readonly times: Float64Array;
  /** [length], NaN where missing. */
  readonly values: Float64Array;
  /** Where the block has such columns and there is no problem. */
  readonly covariates?: SeriesCovariates | undefined;
  /** Why it cannot be forecast. */
  readonly problem?: string | undefined;
}

/** `time`: microseconds; `index`: counted integers. */
export type TimeKind = 'time' | 'index';

export interface PanelBlock {
  readonly kind: TimeKind;
  readonly series: readonly PanelSeries[];
  /** Empty or not there in a panel of values alone. */
  readonly covariates?: readonly CovariateName[] | undefined;
}

/** length, and for regular times the first one and the step. */
type Shape = readonly [length: number] | readonly [length: number, first: number, step: number];

/** Covariates of a series as a header tells them: words themselves, of columns of numbers their count. */
interface Extras {
  readonly future: number;
  readonly statics: SeriesCovariates['statics'];
  readonly columns: readonly (number | readonly (string | null)[])[];
}

interface Header {
  readonly kind: TimeKind;
  readonly ids: readonly string[];
  readonly shapes: readonly Shape[];
  readonly problems: readonly (readonly [at: number, text: string])[];
  readonly covariates?: readonly CovariateName[];
  readonly extras?: readonly (Extras | null)[];
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

const isNumeric = (column: PanelCovariate): column is Float64Array =>
  column instanceof Float64Array;

const extrasOf = ({ covariates }: PanelSeries): Extras | null =>
  covariates
    ? {
        future: covariates.futureTimes.length,
        statics: covariates.statics,
        columns: covariates.columns.map((column) => (isNumeric(column) ? column.length : column)),
      }
    : null;

/** A chunk as bytes: a header in JSON, then the doubles of all series; regular times are told by the header. */
export const encodePanelBlock = ({ kind, series, covariates = [] }: PanelBlock): Uint8Array => {
  const shapes = series.map(shapeOf);
  const header: Header = {
    kind,
    ids: series.map(({ id }) => id),
    shapes,
    problems: series.flatMap(({ problem }, i) => (problem === undefined ? [] : [[i, problem]])),
    ...(series.some((one) => one.covariates) && { covariates, extras: series.map(extrasOf) }),
  };
  const parts = series.flatMap(({ times, values, covariates: own }, i) => [
    ...(shapes[i]!.length === 1 ? [times] : []),
    values,
    ...(own ? [own.futureTimes, ...own.columns.filter(isNumeric)] : []),
  ]);
  return joinBlock(header, parts);
};

/** The chunk of bytes. Throws INTERNAL for bytes that are no block. */
export const decodePanelBlock = (bytes: Uint8Array): PanelBlock => {
  const { header, doubles } = splitBlock(bytes);
  const { kind, ids, shapes, problems, covariates, extras } = header as Header;
  const problemAt = new Map(problems);
  let at = 0;
  const take = (length: number): Float64Array => {
    at += length;
    return doubles.subarray(at - length, at);
  };
  const timesOf = ([length, first, step]: readonly [number, number?, number?]): Float64Array =>
    first === undefined || step === undefined
      ? take(length)
      : Float64Array.from({ length }, (_, t) => first + t * step);
  const covariatesOf = ({ future, statics, columns }: Extras): SeriesCovariates => ({
    futureTimes: take(future),
    columns: columns.map((column) => (typeof column === 'number' ? take(column) : column)),
    statics,
  });
  const series = ids.map((id, i): PanelSeries => {
    const times = timesOf(shapes[i]!);
    const values = take(times.length);
    const extra = extras?.[i];
    const problem = problemAt.get(i);
    return { id, times, values, problem, ...(extra && { covariates: covariatesOf(extra) }) };
  });
  return { kind, series, ...(covariates && { covariates }) };
};
