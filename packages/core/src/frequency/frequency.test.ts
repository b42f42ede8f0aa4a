import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TollamaError } from '../errors.ts';
import { formatFrequency, parseFrequency } from './frequency.ts';

/** Canonical names as pandas 3.1 prints them; old spellings by the migration notes of pandas 2.2 and 3.0. */
const CANONICAL: Readonly<Record<string, string>> = {
  ...{ D: 'D', '2D': '2D', d: 'D', B: 'B', b: 'B', C: 'B', bh: 'bh', BH: 'bh' },
  ...{ W: 'W-SUN', 'W-MON': 'W-MON', '2W': '2W-SUN', '2w-tue': '2W-TUE', 'WOM-3FRI': 'WOM-3FRI' },
  ...{ h: 'h', H: 'h', '4H': '4h', '24h': '24h', T: 'min', min: 'min', '15T': '15min' },
  ...{ '15 min': '15min', S: 's', s: 's', '10S': '10s', L: 'ms', ms: 'ms', U: 'us', us: 'us' },
  ...{ N: 'ns', ns: 'ns', '1.5h': '90min', '0.5h': '30min', '1h30min': '90min', '1D12h': '36h' },
  ...{ M: 'ME', ME: 'ME', MS: 'MS', '2MS': '2MS', BM: 'BME', BMS: 'BMS', BME: 'BME' },
  ...{ Q: 'QE-DEC', QE: 'QE-DEC', QS: 'QS-JAN', 'Q-OCT': 'QE-OCT', 'QS-OCT': 'QS-OCT' },
  ...{ BQ: 'BQE-DEC', BQS: 'BQS-JAN', '2QE-NOV': '2QE-NOV' },
  ...{ Y: 'YE-DEC', A: 'YE-DEC', YE: 'YE-DEC', YS: 'YS-JAN', AS: 'YS-JAN', 'AS-JUL': 'YS-JUL' },
  ...{ 'A-JUN': 'YE-JUN', BA: 'BYE-DEC', BAS: 'BYS-JAN', BYE: 'BYE-DEC', 'Y-MAR': 'YE-MAR' },
  ...{ SM: 'SME-15', SMS: 'SMS-15', 'SME-20': 'SME-20', '1': '1', '7': '7' },
};

describe('parseFrequency', () => {
  test.each(Object.entries(CANONICAL))('%s is %s', (alias, canonical) => {
    const frequency = parseFrequency(alias);
    expect(formatFrequency(frequency)).toBe(canonical);
    expect(parseFrequency(canonical)).toEqual(frequency);
  });

  test('gives typed frequencies', () => {
    expect(parseFrequency('15T')).toEqual({ unit: 'minute', multiple: 15 });
    expect(parseFrequency('W-WED')).toEqual({ unit: 'week', multiple: 1, weekday: 2 });
    expect(parseFrequency('2BQS-NOV')).toEqual({
      unit: 'quarter',
      multiple: 2,
      edge: 'start',
      business: true,
      month: 11,
    });
  });

  test.each([
    ['hourly', 'did you mean h?'],
    ['daily', 'did you mean D?'],
    ['monthly', 'did you mean MS?'],
    ['m', 'did you mean min (minutes) or ME (months)?'],
    ['mon', 'use s, min, h'],
    ['W-XXX', 'use s, min, h'],
    ['MS-JAN', 'use s, min, h'],
    ['', 'use s, min, h'],
    ['-1D', 'use s, min, h'],
    ['0D', 'use s, min, h'],
    ['99999999999999999999D', 'use s, min, h'],
    ['WOM-5FRI', 'use s, min, h'],
    ['SMS-1', 'use s, min, h'],
    ['D-MON', 'did you mean D?'],
    ['auto', 'use s, min, h'],
    ['1h 30', 'use s, min, h'],
  ])('refuses %j by name', (alias, hint) => {
    const parse = () => parseFrequency(alias);
    expect(parse).toThrow(TollamaError);
    expect(parse).toThrow(`freq '${alias}' is not a known frequency`);
    expect(parse).toThrow(expect.objectContaining({ code: 'INVALID_REQUEST' }));
    expect(parse).toThrow(expect.objectContaining({ hint: expect.stringContaining(hint) }));
  });

  test('never fails but with INVALID_REQUEST', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), (text) => {
        try {
          const canonical = formatFrequency(parseFrequency(text));
          expect(formatFrequency(parseFrequency(canonical))).toBe(canonical);
        } catch (error) {
          expect(error).toMatchObject({ code: 'INVALID_REQUEST' });
        }
      }),
    );
  });
});
