import { afterAll, beforeAll, expect, test } from 'vitest';
import { type InputFolder, makeInputFolder } from './testing/input-folder.ts';

let folder: InputFolder;
beforeAll(async () => {
  folder = await makeInputFolder();
});
afterAll(() => folder[Symbol.asyncDispose]());

const read = (content: string, options = {}) => folder.read('data.csv', content, options);

test('rows of delimiters at the end mean nothing, in between they are rows', async () => {
  const { series } = await read('ds,y\n2024-01-01,1\n2024-01-02,2\n,\n , \n,\n');
  expect(series[0]!.target).toEqual([1, 2]);
  await expect(read('ds,y\n2024-01-01,1\n,\n2024-01-02,2\n')).rejects.toThrow(
    "row 3: the timestamp in column 'ds' is missing",
  );
  const { series: wide } = await read('a,b\n1,2\n,\n3,4\n,\n');
  expect(wide.map(({ target }) => target)).toEqual([
    [1, Number.NaN, 3],
    [2, Number.NaN, 4],
  ]);
});

test.each([
  ['date,time,y', '2024-01-01,00:00', '2024-01-01,01:00', '2024-01-01 01:00'],
  ['Date;Time;CO', '10/03/2004;18.00.00', '10/03/2004;19.00.00', '10/03/2004 19:00:00'],
  ['day,hour of day,y', '2024-01-01,1:00 AM', '2024-01-01,2:00 AM', '2024-01-01 2:00 AM'],
])('%s: date and time of day are read together', async (header, first, second, last) => {
  const separator = header.includes(';') ? ';' : ',';
  const { series, notes } = await read(
    [header, first + separator + 5, second + separator + 6].join('\n'),
  );
  expect(series).toHaveLength(1);
  expect(series[0]).toMatchObject({ target: [5, 6], timestamps: [expect.anything(), last] });
  expect(notes.join()).toContain('are read together');
});

test('a time of day that is asked for as something else stays what it is', async () => {
  const content = 'date,time,y\n2024-01-01,08:00,1\n2024-01-02,08:00,2\n2024-01-01,09:00,3\n';
  const { series } = await read(content, { idColumn: 'time' });
  expect(series.map(({ id }) => id)).toEqual(['08:00', '09:00']);
});

test('the whole file says whether the day comes first', async () => {
  const days = ['01/02/2024', '02/02/2024', '03/02/2024'];
  const rows = [...days.map((day) => `short,${day},1`), 'long,30/01/2024,2', 'long,31/01/2024,3'];
  const { series, notes } = await read(['unique_id,ds,y', ...rows].join('\n'));
  expect(series.map(({ timestamps }) => timestamps)).toEqual([
    ['2024-02-01', '2024-02-02', '2024-02-03'],
    ['30/01/2024', '31/01/2024'],
  ]);
  expect(notes).toEqual([]);
});

test('where nothing says it the month comes first, and that is told', async () => {
  const { series, notes } = await read('ds,y\n01/01/2024,1\n02/01/2024,2\n03/01/2024,3\n');
  expect(series[0]!.timestamps[1]).toBe('02/01/2024');
  expect(notes).toEqual([
    "'02/01/2024' is read with the month first; if the day is, write 2024-01-02",
  ]);
  expect((await read('ds,y\n01/30/2024,1\n01/31/2024,2\n')).notes).toEqual([]);
});

test('numbers as people type them', async () => {
  expect((await read('ds,y\n2024-01-01,\u22125\n2024-01-02,3\n')).series[0]!.target).toEqual([
    -5, 3,
  ]);
  await expect(read('ds,y\n2024-01-01,"1000,25"\n2024-01-02,"2,5"\n')).rejects.toThrow(
    "'1000,25' has a decimal comma, and the delimiter is a comma too",
  );
});
