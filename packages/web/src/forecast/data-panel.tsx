/** The data: an example, a file that is chosen, or one that is dropped; and what its columns mean. */
import { useId, useRef, useState } from 'preact/hooks';
import { Icon } from '../ui/icon.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { plural } from '../ui/quantity.ts';
import { useStore } from '../ui/store.ts';
import type { Columns } from './columns.ts';
import type { Table } from './csv.ts';
import { EXAMPLES } from './example-data.ts';
import { FrequencyField } from './frequency-field.tsx';
import {
  chooseColumns,
  chooseFile,
  chooseText,
  frequencyOf,
  setup,
  shownSeries,
  valueColumns,
} from './setup.ts';

const chooseExample = (file: string): void => {
  const example = EXAMPLES.find((one) => one.file === file);
  if (example) chooseText(example.file, example.make());
};

const take = (files: FileList | null | undefined): void => {
  const [file] = files ?? [];
  if (file) void chooseFile(file);
};

const FileButton = () => {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <input
        ref={input}
        class="visually-hidden"
        type="file"
        accept=".csv,.tsv,.txt,text/csv"
        aria-label="CSV file"
        tabIndex={-1}
        onChange={(event) => {
          take(event.currentTarget.files);
          event.currentTarget.value = '';
        }}
      />
      <button type="button" class="button" onClick={() => input.current?.click()}>
        <Icon name="upload" size={14} />
        Choose a CSV
      </button>
    </>
  );
};

const DropZone = () => {
  const [isOver, setOver] = useState(false);
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: dropping is the pointer's way; the button is everybody's
    <div
      class={isOver ? 'drop-zone over' : 'drop-zone'}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        take(event.dataTransfer?.files);
      }}
    >
      <FileButton />
      <span class="soft small">or drop one here</span>
    </div>
  );
};

interface ColumnSelectProps {
  readonly label: string;
  readonly table: Table;
  readonly chosen: number | undefined;
  readonly allowed: readonly number[];
  /** What no column means; absent where one is needed. */
  readonly none?: string;
  readonly onChoose: (column: number | undefined) => void;
}

const ColumnSelect = ({ label, table, chosen, allowed, none, onChoose }: ColumnSelectProps) => {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select
        id={id}
        class="select"
        value={chosen ?? ''}
        onChange={({ currentTarget: { value } }) =>
          onChoose(value === '' ? undefined : Number(value))
        }
      >
        {none !== undefined && <option value="">{none}</option>}
        {allowed.map((column) => (
          <option key={column} value={column}>
            {table.names[column]}
          </option>
        ))}
      </select>
    </div>
  );
};

const ColumnChoice = ({ table, columns }: { table: Table; columns: Columns }) => {
  const all = [...table.names.keys()];
  return (
    <div class="columns">
      <ColumnSelect
        label="Time"
        table={table}
        chosen={columns.time}
        allowed={all}
        none="(count rows)"
        onChoose={(time) => chooseColumns({ ...columns, time })}
      />
      <ColumnSelect
        label="Values"
        table={table}
        chosen={columns.value}
        allowed={valueColumns(table)}
        onChoose={(value) => value !== undefined && chooseColumns({ ...columns, value })}
      />
      <ColumnSelect
        label="Series"
        table={table}
        chosen={columns.id}
        allowed={all}
        none="(one)"
        onChoose={(id) => chooseColumns({ ...columns, id })}
      />
      <FrequencyField />
    </div>
  );
};

const Summary = () => {
  const now = useStore(setup);
  const shown = shownSeries(now);
  if (!shown) return null;
  const missing = shown.values.filter((value) => value === null).length;
  const frequency = frequencyOf(shown);
  return (
    <p class="soft small">
      {now.series.length > 1 && `${plural(now.series.length, 'series', 'series')} · `}
      {plural(shown.values.length, 'point')}
      {shown.isTime && (frequency ? ` · every ${frequency}` : ' · irregular times')}
      {missing > 0 && ` · ${missing} missing`}
    </p>
  );
};

export const DataPanel = () => {
  const { table, columns, problem } = useStore(setup);
  const id = useId();
  const isExample = EXAMPLES.some(({ file }) => file === table?.file);
  return (
    <section class="panel" aria-labelledby="data-title">
      <h2 id="data-title">Data</h2>
      <div class="field">
        <label for={id}>Example</label>
        <select
          id={id}
          class="select"
          value={isExample ? table?.file : ''}
          onChange={({ currentTarget }) => chooseExample(currentTarget.value)}
        >
          {!isExample && <option value="">{table?.file ?? 'none'}</option>}
          {EXAMPLES.map(({ file, label }) => (
            <option key={file} value={file}>
              {label}
            </option>
          ))}
        </select>
      </div>
      <DropZone />
      {problem && <ProblemNote problem={problem} />}
      {table && columns && <ColumnChoice table={table} columns={columns} />}
      <Summary />
    </section>
  );
};
