/** One file of the result: the forecasts of some chunks, a row for each series and step. */
import type { SchemaElement } from 'hyparquet';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import type { ForecastBlock } from '../block/forecast-block.ts';
import type { TimeKind } from '../block/panel-block.ts';

export interface PartLayout {
  readonly kind: TimeKind;
  readonly hasIntegerIds: boolean;
  readonly model: string;
  readonly quantiles: readonly number[];
}

/** unique_id, ds, <model>, <model>-q-10, ...: as `tollama run --output` names them. */
export const columnNames = ({ model, quantiles }: Pick<PartLayout, 'model' | 'quantiles'>) => [
  'unique_id',
  'ds',
  model,
  ...quantiles.map((level) => `${model}-q-${Number((level * 100).toPrecision(6))}`),
];

const elementOf = (name: string, at: number, layout: PartLayout): SchemaElement => {
  const required = { name, repetition_type: 'REQUIRED' } as const;
  if (at === 0) {
    return layout.hasIntegerIds
      ? { ...required, type: 'INT64' }
      : { ...required, type: 'BYTE_ARRAY', converted_type: 'UTF8' };
  }
  if (at > 1) return { ...required, type: 'DOUBLE' };
  return layout.kind === 'index'
    ? { ...required, type: 'INT64' }
    : { ...required, type: 'INT64', converted_type: 'TIMESTAMP_MICROS' };
};

/** Rows of a row group: enough to read well, few enough to hold. */
const ROWS_PER_GROUP = 60_000;

const joined = (parts: readonly Float64Array[]): Float64Array => {
  const whole = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
};

const repeated = (blocks: readonly ForecastBlock[]): string[] =>
  blocks.flatMap(({ ids, horizon }) =>
    ids.flatMap((id) => Array.from({ length: horizon }, () => id)),
  );

export interface ParquetPart {
  readonly rows: number;
  add(block: ForecastBlock): void;
  /** The whole file. */
  finish(): Uint8Array;
}

class WrittenPart implements ParquetPart {
  readonly #layout: PartLayout;
  readonly #names: readonly string[];
  readonly #bytes = new ByteWriter();
  readonly #parquet: ParquetWriter;
  #waiting: ForecastBlock[] = [];
  #waitingRows = 0;
  #rows = 0;

  constructor(layout: PartLayout) {
    this.#layout = layout;
    this.#names = columnNames(layout);
    const schema: SchemaElement[] = [
      { name: 'root', num_children: this.#names.length },
      ...this.#names.map((name, at) => elementOf(name, at, layout)),
    ];
    this.#parquet = new ParquetWriter({ writer: this.#bytes, schema, createdBy: 'tollama' });
  }

  get rows(): number {
    return this.#rows;
  }

  add(block: ForecastBlock): void {
    this.#waiting.push(block);
    this.#waitingRows += block.times.length;
    this.#rows += block.times.length;
    if (this.#waitingRows >= ROWS_PER_GROUP) this.#flush();
  }

  finish(): Uint8Array {
    this.#flush();
    this.#parquet.finish();
    return this.#bytes.getBytes();
  }

  /** What waits as one row group. */
  #flush(): void {
    if (this.#waitingRows === 0) return;
    const waiting = this.#waiting;
    const ids = repeated(waiting);
    const values = [
      this.#layout.hasIntegerIds ? BigInt64Array.from(ids, BigInt) : ids,
      BigInt64Array.from(joined(waiting.map(({ times }) => times)), BigInt),
      ...this.#names.slice(2).map((_, k) => joined(waiting.map(({ columns }) => columns[k]!))),
    ];
    this.#parquet.write({
      columnData: this.#names.map((name, at) => ({
        name,
        data: values[at]!,
        // Forecasts hardly ever repeat: no dictionary is worth its search.
        ...(at > 1 && { encoding: 'PLAIN' as const }),
      })),
      rowGroupSize: this.#waitingRows,
    });
    [this.#waiting, this.#waitingRows] = [[], 0];
  }
}

/** An empty part. */
export const createParquetPart = (layout: PartLayout): ParquetPart => new WrittenPart(layout);
