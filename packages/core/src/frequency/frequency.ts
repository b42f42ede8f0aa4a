/** The frequency of a series as a value, and its pandas alias: old and new spellings in, the new one out. */

import { didYouMean } from '../did-you-mean.ts';
import { TollamaError } from '../errors.ts';
import { MONTHS, WEEKDAYS } from './calendar.ts';

/** Units of fixed length below a day, with their length in nanoseconds. */
export const TICK_NANOS = {
  nanosecond: 1,
  microsecond: 1e3,
  millisecond: 1e6,
  second: 1e9,
  minute: 6e10,
  hour: 3.6e12,
} as const;
export type TickUnit = keyof typeof TICK_NANOS;

/** Whether stamps stand at the first or at the last day of their month, quarter or year. */
export type Edge = 'start' | 'end';

/** One step of a series. `multiple` is a positive integer: 15 of `15min`. */
export type Frequency =
  | {
      /** `index`: stamps are integers that count, without a calendar. */
      readonly unit: 'index' | TickUnit | 'day' | 'businessDay' | 'businessHour';
      readonly multiple: number;
    }
  /** `weekday`: Monday is 0. */
  | { readonly unit: 'week'; readonly multiple: number; readonly weekday: number }
  /** The third Friday of each month: week 3, weekday 4. */
  | {
      readonly unit: 'weekOfMonth';
      readonly multiple: number;
      readonly week: number;
      readonly weekday: number;
    }
  /** Twice a month: the first or last day, and `dayOfMonth`. */
  | {
      readonly unit: 'semiMonth';
      readonly multiple: number;
      readonly edge: Edge;
      readonly dayOfMonth: number;
    }
  | {
      readonly unit: 'month';
      readonly multiple: number;
      readonly edge: Edge;
      readonly business: boolean;
    }
  /** `month`: 1 to 12, a month in which a quarter (the year) starts or ends, by `edge`. */
  | {
      readonly unit: 'quarter' | 'year';
      readonly multiple: number;
      readonly edge: Edge;
      readonly business: boolean;
      readonly month: number;
    };

const TICK_ALIASES: Readonly<Record<TickUnit, string>> = {
  nanosecond: 'ns',
  microsecond: 'us',
  millisecond: 'ms',
  second: 's',
  minute: 'min',
  hour: 'h',
};

/** Spellings of the pandas of old and of other tools, by the name of today. */
const OLD_NAMES: Readonly<Record<string, string>> = {
  ...{ H: 'h', T: 'min', S: 's', L: 'ms', U: 'us', N: 'ns', t: 'min', l: 'ms', u: 'us', n: 'ns' },
  ...{ d: 'D', b: 'B', w: 'W', C: 'B', BH: 'bh', M: 'ME', Q: 'QE', A: 'YE', Y: 'YE', q: 'QE' },
  ...{ a: 'YE', y: 'YE', AS: 'YS', AE: 'YE', BM: 'BME', BQ: 'BQE', BA: 'BYE', BY: 'BYE' },
  ...{ BAS: 'BYS', SM: 'SME', Min: 'min', MIN: 'min', NS: 'ns', US: 'us' },
};

export const isTick = (unit: string): unit is TickUnit => Object.hasOwn(TICK_NANOS, unit);

const TICKS = new Map<string, TickUnit>(
  Object.keys(TICK_NANOS)
    .filter(isTick)
    .map((unit) => [TICK_ALIASES[unit], unit]),
);

/** `BQS`: business, quarter, start. */
const CALENDAR_NAME = /^(B?)([MQY])([SE])$/;

const NAMES = [...TICKS.keys(), 'D', 'B', 'W', 'MS', 'ME', 'QS', 'QE', 'YS', 'YE', 'bh'] as const;

const WORDS: readonly (readonly [RegExp, string])[] = [
  [/^hour(s|ly)?$|^hrs?$/, 'h'],
  [/^minutes?$|^mins$/, 'min'],
  [/^seconds?$|^secs?$/, 's'],
  [/^days?$|^daily$/, 'D'],
  [/^business.*$|^weekdays?$/, 'B'],
  [/^week(s|ly)?$/, 'W'],
  [/^month(s|ly)?$/, 'MS'],
  [/^quarter(s|ly)?$/, 'QS'],
  [/^year(s|ly)?$|^annual(ly)?$/, 'YS'],
];

const KNOWN_ALIASES =
  's, min, h, D, B, W, MS, ME, QS, QE, YS, YE with a multiple or an anchor as pandas has them, ' +
  'for instance 15min, W-SUN, QS-OCT';

const refuse = (text: string, because?: string): never => {
  const name = /^[\d.\s]*([A-Za-z]+)/.exec(text)?.[1] ?? '';
  const word = WORDS.find(([pattern]) => pattern.test(name.toLowerCase()))?.[1];
  const closest =
    name === 'm' ? 'min (minutes) or ME (months)' : (word ?? (name && didYouMean(name, NAMES)));
  const hint = closest && !because ? `did you mean ${closest}? ` : '';
  throw new TollamaError(
    'INVALID_REQUEST',
    `freq '${text}' is not a known frequency${because ? `: ${because}` : ''}`,
    { hint: `${hint}use ${KNOWN_ALIASES}, an integer for counted steps, or auto` },
  );
};

const position = (names: readonly string[], anchor: string, text: string): number => {
  const found = names.indexOf(anchor.toUpperCase());
  return found >= 0 ? found : refuse(text, `'${anchor}' is none of ${names.join(', ')}`);
};

interface Parts {
  readonly text: string;
  readonly name: string;
  readonly multiple: number;
  readonly anchor: string | undefined;
}

const parseWeekOfMonth = ({ text, multiple, anchor }: Parts): Frequency => {
  const match = /^([1-4])([A-Za-z]{3})$/.exec(anchor ?? '');
  if (!match) return refuse(text, 'WOM needs a week and a weekday, as in WOM-3FRI');
  const weekday = position(WEEKDAYS, match[2]!, text);
  return { unit: 'weekOfMonth', multiple, week: Number(match[1]), weekday };
};

const parseSemiMonth = (edge: Edge, { text, multiple, anchor = '15' }: Parts): Frequency => {
  const dayOfMonth = Number(anchor);
  const isDay = Number.isInteger(dayOfMonth) && dayOfMonth >= (edge === 'start' ? 2 : 1);
  if (!isDay || dayOfMonth > 27) return refuse(text, `'${anchor}' is no day between 2 and 27`);
  return { unit: 'semiMonth', multiple, edge, dayOfMonth };
};

const parseCalendar = (match: RegExpExecArray, { text, multiple, anchor }: Parts): Frequency => {
  const business = match[1] === 'B';
  const edge = match[3] === 'S' ? 'start' : 'end';
  if (match[2] === 'M') {
    if (anchor !== undefined) return refuse(text, `months have no anchor '${anchor}'`);
    return { unit: 'month', multiple, edge, business };
  }
  const month = position(MONTHS, anchor ?? (edge === 'start' ? 'JAN' : 'DEC'), text) + 1;
  return { unit: match[2] === 'Q' ? 'quarter' : 'year', multiple, edge, business, month };
};

const parseAnchored = (parts: Parts): Frequency => {
  const { name, multiple, anchor, text } = parts;
  const calendar = CALENDAR_NAME.exec(name);
  if (calendar) return parseCalendar(calendar, parts);
  if (name === 'W') {
    return { unit: 'week', multiple, weekday: position(WEEKDAYS, anchor ?? 'SUN', text) };
  }
  if (name === 'WOM') return parseWeekOfMonth(parts);
  if (name === 'SMS' || name === 'SME')
    return parseSemiMonth(name === 'SMS' ? 'start' : 'end', parts);
  if (anchor !== undefined) return refuse(text);
  if (name === 'D') return { unit: 'day', multiple };
  if (name === 'B') return { unit: 'businessDay', multiple };
  if (name === 'bh') return { unit: 'businessHour', multiple };
  return refuse(text);
};

/** Lengths such as `1h30min`, `1.5h` or `1D12h`, as whole multiples of the largest unit that fits. */
const parseLength = (text: string): Frequency | undefined => {
  let nanos = 0;
  let rest = text;
  while (rest !== '') {
    const match = /^(\d+(?:\.\d+)?)\s*([A-Za-z]+)\s*/.exec(rest);
    if (!match) return undefined;
    const name = OLD_NAMES[match[2]!] ?? match[2]!;
    const unit = TICKS.get(name);
    if (!unit && name !== 'D') return undefined;
    nanos += Number(match[1]) * (unit ? TICK_NANOS[unit] : 24 * TICK_NANOS.hour);
    rest = rest.slice(match[0].length);
  }
  const whole = Math.round(nanos);
  return whole > 0 ? frequencyOfNanos(whole) : undefined;
};

/** The tick frequency with this length, in the largest unit that divides it; a day at most an hour's multiple. */
export const frequencyOfNanos = (nanos: number): Frequency => {
  const units = Object.keys(TICK_NANOS).filter(isTick).toReversed();
  const unit = units.find((name) => nanos % TICK_NANOS[name] === 0) ?? 'nanosecond';
  return { unit, multiple: nanos / TICK_NANOS[unit] };
};

/**
 * Reads a pandas alias, old or new, with multiple and anchor; a bare integer counts steps of an index.
 *
 * @throws TollamaError INVALID_REQUEST with the alias and the closest known one
 * @example
 * parseFrequency('15T'); // { unit: 'minute', multiple: 15 }
 * parseFrequency('QS-OCT'); // { unit: 'quarter', multiple: 1, edge: 'start', business: false, month: 10 }
 */
export const parseFrequency = (text: string): Frequency => {
  const trimmed = text.trim();
  const match = /^(\d*)\s*([A-Za-z]*)(?:-([A-Za-z0-9]+))?$/.exec(trimmed);
  if (!match || trimmed === '') {
    return parseLength(trimmed) ?? refuse(text);
  }
  const multiple = match[1] === '' ? 1 : Number(match[1]);
  if (!(multiple > 0 && Number.isSafeInteger(multiple))) {
    return refuse(text, 'the multiple must be a positive integer');
  }
  const written = match[2]!;
  if (written === '') {
    return match[3] === undefined ? { unit: 'index', multiple } : refuse(text);
  }
  const upper = written.toUpperCase();
  const name =
    OLD_NAMES[written] ?? (isUnambiguous(written) ? (OLD_NAMES[upper] ?? upper) : written);
  const unit = TICKS.get(name);
  if (unit && match[3] === undefined) return { unit, multiple };
  return parseAnchored({ text, name, multiple, anchor: match[3] });
};

/** `m`, `Ms`, `mS` could be minutes, months or milliseconds; names of today are kept as they are. */
const isUnambiguous = (name: string): boolean =>
  !TICKS.has(name) && name !== 'bh' && !/^(m|ms)$/i.test(name);

const nameOf = (frequency: Frequency): string => {
  switch (frequency.unit) {
    case 'index':
      return '';
    case 'day':
      return 'D';
    case 'businessDay':
      return 'B';
    case 'businessHour':
      return 'bh';
    case 'week':
      return `W-${WEEKDAYS[frequency.weekday]}`;
    case 'weekOfMonth':
      return `WOM-${frequency.week}${WEEKDAYS[frequency.weekday]}`;
    case 'semiMonth':
      return `SM${frequency.edge === 'start' ? 'S' : 'E'}-${frequency.dayOfMonth}`;
    case 'month':
    case 'quarter':
    case 'year': {
      const unit = { month: 'M', quarter: 'Q', year: 'Y' }[frequency.unit];
      const edge = frequency.edge === 'start' ? 'S' : 'E';
      const anchor = frequency.unit === 'month' ? '' : `-${MONTHS[frequency.month - 1]}`;
      return `${frequency.business ? 'B' : ''}${unit}${edge}${anchor}`;
    }
    default:
      return TICK_ALIASES[frequency.unit];
  }
};

/**
 * The canonical alias, as pandas of today prints it; `parseFrequency` reads it back.
 *
 * @example
 * formatFrequency(parseFrequency('4H')); // '4h'
 * formatFrequency(parseFrequency('W')); // 'W-SUN'
 */
export const formatFrequency = (frequency: Frequency): string => {
  const name = nameOf(frequency);
  return frequency.multiple === 1 && name !== '' ? name : `${frequency.multiple}${name}`;
};
