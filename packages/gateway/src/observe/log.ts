import { redact } from '@tollama/core/redaction';
import { pino } from 'pino';

interface Write {
  (fields: object, message?: string): void;
  (message: string): void;
}

export interface Logger {
  readonly debug: Write;
  readonly info: Write;
  readonly warn: Write;
  readonly error: Write;
}

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
