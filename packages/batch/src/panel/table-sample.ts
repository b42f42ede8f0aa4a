import type { Column } from '@tollama/ingest/column-kinds';

/** What the first rows of a table tell. */
export interface TableSample {
  readonly columns: readonly Column[];
  /** As DuckDB calls it. */
  readonly typeOf: (column: Column) => string;
}
