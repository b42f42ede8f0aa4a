/** Rules of a request that its types do not say (contract, section 4: HTTP 400), and what follows from it. */
import { TollamaError } from '@tollama/core/errors';
import type { ForecastRequest } from './forecast-request.ts';
import { frequencySeconds, MAX_PERIOD_SECONDS } from './frequency.ts';
import type { Timestamp } from './timestamp.ts';

/** The request, found to be sound, and all that is derived from it once. */
export interface Question {
  readonly request: ForecastRequest;
  readonly periodSeconds: number;
  /** The levels that are answered, ascending. */
  readonly levels: readonly number[];
  /** Other levels than the configured ones were asked for. */
  readonly hasReplacedLevels: boolean;
  readonly usesLogit: boolean;
  readonly eps: number;
  /** The longest observed gap. */
  readonly gapMinutes: number;
  /** The limit that the request puts on gaps, where requests may. */
  readonly gapLimitMinutes: number | undefined;
}

export interface RequestRules {
  readonly maxPoints: number;
  readonly maxHorizonSteps: number;
  /** Levels that are answered. */
  readonly quantiles: readonly number[];
  readonly eps: number;
  /** Whether max_gap_minutes of a request is the gap that was observed or a limit. */
  readonly requestGap: 'observed' | 'limit';
}

const MIN_POINTS = 2;

const malformed = (what: string, hint?: string): never => {
  throw new TollamaError('INVALID_REQUEST', `malformed input: ${what}`, hint ? { hint } : {});
};

const checkSeries = (y: readonly number[], maxPoints: number): void => {
  if (y.length < MIN_POINTS) {
    throw new TollamaError(
      'INVALID_REQUEST',
      `too_few_points: at least ${MIN_POINTS} finite y values required`,
    );
  }
  if (y.length > maxPoints) malformed(`y too large (max ${maxPoints})`);
  for (let i = 0; i < y.length; i++) {
    if (!Number.isFinite(y[i])) malformed(`y[${i}] is non-finite`);
  }
};

const checkCovariates = ({ x_past, x_future }: ForecastRequest): void => {
  for (const [field, columns] of Object.entries({ x_past, x_future })) {
    for (const [name, values] of Object.entries(columns)) {
      const bad = values.findIndex((value) => !Number.isFinite(value));
      if (bad >= 0) malformed(`${field}.${name}[${bad}] is non-finite`);
    }
  }
};

const checkHorizon = (steps: number, max: number): void => {
  if (steps < 1) malformed('horizon_steps must be >= 1');
  if (steps > max) malformed(`horizon_steps must be <= ${max}`, 'ask for fewer steps');
};

const levelsOf = (
  asked: readonly number[],
  configured: readonly number[],
): Pick<Question, 'levels' | 'hasReplacedLevels'> => {
  const bad = asked.find((level) => !(level > 0 && level < 1));
  if (bad !== undefined) malformed(`quantiles must lie between 0 and 1, got ${bad}`);
  const levels = [...new Set(asked)].sort((a, b) => a - b);
  const isSame =
    levels.length === configured.length && levels.every((level, i) => level === configured[i]);
  return { levels: configured, hasReplacedLevels: levels.length > 0 && !isSame };
};

const epsOf = (eps: number, fallback: number): number => {
  if (eps === 0) return fallback;
  return eps > 0 && eps < 0.5 ? eps : malformed(`transform.eps must lie in (0, 0.5), got ${eps}`);
};

/** The largest step in minutes where it is longer than the period, else 0. */
const checkTimes = (times: readonly Timestamp[], points: number, periodSeconds: number): number => {
  if (times.length !== points) malformed('y_ts length must match y');
  const isZoned = times[0]?.isZoned;
  if (times.some((time) => time.isZoned !== isZoned)) {
    malformed('y_ts mixes times with and without an offset', 'write all of them with an offset');
  }
  const period = periodSeconds * 1e6;
  let longest = 0;
  for (let i = 1; i < times.length; i++) {
    const step = times[i]!.micros - times[i - 1]!.micros;
    if (step <= 0) malformed('y_ts must be strictly increasing');
    if (step % period !== 0) malformed('y_ts spacing must align with freq');
    longest = Math.max(longest, step);
  }
  return longest > period ? longest / 60e6 : 0;
};

/** Throws INVALID_REQUEST whose message is the contract's text. */
export const validate = (request: ForecastRequest, rules: RequestRules): Question => {
  const { y, y_ts, max_gap_minutes, transform } = request;
  checkSeries(y, rules.maxPoints);
  checkCovariates(request);
  const periodSeconds = frequencySeconds(request.freq);
  if (periodSeconds === 0) malformed(`freq must be a positive period, got '${request.freq}'`);
  if (periodSeconds > MAX_PERIOD_SECONDS) malformed('freq must be at most 87600h');
  checkHorizon(request.horizon_steps, rules.maxHorizonSteps);
  const observed = y_ts ? checkTimes(y_ts, y.length, periodSeconds) : 0;
  const isObserved = rules.requestGap === 'observed';
  return {
    request,
    periodSeconds,
    ...levelsOf(request.quantiles, rules.quantiles),
    usesLogit: transform.space.toLowerCase() === 'logit',
    eps: epsOf(transform.eps, rules.eps),
    gapMinutes: isObserved ? (max_gap_minutes ?? observed) : observed,
    gapLimitMinutes: isObserved ? undefined : (max_gap_minutes ?? undefined),
  };
};
