import { expect, test } from 'vitest';
import { parseLogLevel } from './log-level.ts';

test.each([
  ['INFO', 'info'],
  ['warning', 'warn'],
  ['critical', 'fatal'],
  [' debug ', 'debug'],
])('%j is the level %s', (text, level) => {
  expect(parseLogLevel(text, 'TOLLAMA_LOG_LEVEL')).toBe(level);
});

test('another word is refused by name', () => {
  expect(() => parseLogLevel('loud', 'TOLLAMA_LOG_LEVEL')).toThrow(
    "TOLLAMA_LOG_LEVEL 'loud' is no log level",
  );
});
