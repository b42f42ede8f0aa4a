/** The forecasts of a chunk as bytes. */
import { joinBlock, splitBlock } from './panel-block.ts';

export interface SeriesFailure {
  readonly id: string;
  readonly code: string;
  readonly message: string;
}

export interface ForecastBlock {
  readonly horizon: number;
  /** Series with a forecast, in the order of the chunk. */
  readonly ids: readonly string[];
  /** [series * horizon], as the times of the panel are counted. */
  readonly times: Float64Array;
  /** [series * horizon] each: the mean, then one for each level. */
  readonly columns: readonly Float64Array[];
  readonly failures: readonly SeriesFailure[];
}

type Header = Pick<ForecastBlock, 'horizon' | 'ids' | 'failures'> & { readonly width: number };

/** A block as bytes, the same for the same forecasts. */
export const encodeForecastBlock = ({
  horizon,
  ids,
  times,
  columns,
  failures,
}: ForecastBlock): Uint8Array =>
  joinBlock({ horizon, ids, failures, width: columns.length } satisfies Header, [
    times,
    ...columns,
  ]);

/** The block of bytes. Throws INTERNAL for bytes that are no block. */
export const decodeForecastBlock = (bytes: Uint8Array): ForecastBlock => {
  const { header, doubles } = splitBlock(bytes);
  const { horizon, ids, failures, width } = header as Header;
  const rows = ids.length * horizon;
  const part = (k: number): Float64Array => doubles.subarray(k * rows, (k + 1) * rows);
  return {
    horizon,
    ids,
    failures,
    times: part(0),
    columns: Array.from({ length: width }, (_, k) => part(k + 1)),
  };
};
