import { redact } from '@tollama/core/redaction';
import { type Logger as PinoLogger, pino } from 'pino';

export type Logger = PinoLogger;

/** JSON lines on stderr; secrets are taken out here and nowhere else. */
export const createLogger = (level: string): Logger =>
  pino(
    {
      level,
      base: null,
      formatters: { log: (fields) => redact(fields) as Record<string, unknown> },
    },
    pino.destination({ dest: 2, sync: true }),
  );
