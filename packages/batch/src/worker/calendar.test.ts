import { expect, test } from 'vitest';
import { timeText } from '../block/time-text.ts';
import { createCalendar } from './calendar.ts';

const micros = (...dates: string[]): Float64Array =>
  Float64Array.from(dates, (date) => Date.parse(`${date}Z`) * 1000);

const texts = (times: Float64Array): string[] =>
  Array.from(times, (time) => timeText(time, 'time'));

test('times are written with as much of the clock as it takes', () => {
  expect(texts(micros('2024-01-31', '2024-01-31T12:30:00', '1969-12-31'))).toEqual([
    '2024-01-31',
    '2024-01-31T12:30:00',
    '1969-12-31',
  ]);
  expect(timeText(1_500_000, 'time')).toBe('1970-01-01T00:00:01.500000');
  expect(timeText(-1, 'time')).toBe('1969-12-31T23:59:59.999999');
  expect(timeText(17, 'index')).toBe('17');
});

test('months go on as months', () => {
  const calendar = createCalendar('auto', 'time');
  const times = micros('2023-10-31', '2023-11-30', '2023-12-31', '2024-01-31');
  const { alias, values } = calendar.regular(times, Float64Array.of(1, 2, 3, 4));
  expect([alias, [...values]]).toEqual(['ME', [1, 2, 3, 4]]);
  expect(texts(calendar.future(times.at(-1)!, alias, 2))).toEqual(['2024-02-29', '2024-03-31']);
});

test('steps that no row stands on are missing values', () => {
  const calendar = createCalendar('D', 'time');
  const times = micros('2024-01-01', '2024-01-02', '2024-01-05');
  const { values, times: grid } = calendar.regular(times, Float64Array.of(1, 2, 5));
  expect([...values]).toEqual([1, 2, Number.NaN, Number.NaN, 5]);
  expect(texts(grid).at(2)).toBe('2024-01-03');
});

test('times that are no steps of their frequency are refused', () => {
  const calendar = createCalendar('D', 'time');
  const odd = micros('2024-01-01', '2024-01-02T12:00:00', '2024-01-03');
  expect(() => calendar.regular(odd, Float64Array.of(1, 2, 3))).toThrow("no steps of 'D'");
  const sparse = micros('2024-01-01', '2024-03-01');
  expect(() => calendar.regular(sparse, Float64Array.of(1, 2))).toThrow('more than half');
});

test('counted integers go on counting', () => {
  const calendar = createCalendar('auto', 'index');
  const { alias } = calendar.regular(Float64Array.of(2, 4, 6), Float64Array.of(1, 2, 3));
  expect([...calendar.future(6, alias, 3)]).toEqual([8, 10, 12]);
});
