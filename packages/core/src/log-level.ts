/** Log levels: pino's, and the two that uvicorn's users know by another name. */
import { TollamaError } from './errors.ts';

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];
const OTHER_NAMES: Readonly<Record<string, string>> = { warning: 'warn', critical: 'fatal' };

/** A level as the logger knows it. Throws CONFIG_INVALID for another word; `source` names where it stands. */
export const parseLogLevel = (text: string, source: string): string => {
  const word = text.trim().toLowerCase();
  const level = OTHER_NAMES[word] ?? word;
  if (LEVELS.includes(level)) return level;
  throw new TollamaError('CONFIG_INVALID', `${source} '${text}' is no log level`, {
    hint: 'use trace, debug, info, warn, error or silent',
  });
};
