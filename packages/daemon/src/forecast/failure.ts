/** One of several forecasts that failed, as a value: category, status, message. */
import { toTollamaError } from '@tollama/core/errors';

export interface Failure {
  readonly category: string;
  readonly status_code: number;
  readonly message: string;
}

const CATEGORIES: Readonly<Record<number, string>> = {
  400: 'INVALID_REQUEST',
  404: 'MODEL_MISSING',
  503: 'RUNNER_UNAVAILABLE',
  502: 'RUNNER_ERROR',
};

export const failureOf = (thrown: unknown): Failure => {
  const { code, status, message } = toTollamaError(thrown);
  const category = code === 'INTERNAL' ? 'INTERNAL_ERROR' : (CATEGORIES[status] ?? 'DAEMON_ERROR');
  return { category, status_code: status, message };
};
