import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseTraceHeaders, traceHeadersOf } from './trace-context.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';

const hex = (length: number) =>
  fc
    .array(fc.constantFrom(...'0123456789abcdef'), { minLength: length, maxLength: length })
    .map((digits) => digits.join(''))
    .filter((text) => !/^0+$/.test(text));

test('what is written is read back', () => {
  const context = fc.record({
    traceId: hex(32),
    spanId: hex(16),
    flags: fc.constantFrom(0, 1),
  });
  fc.assert(
    fc.property(context, (one) => {
      expect(parseTraceHeaders(traceHeadersOf(one))).toEqual(one);
    }),
  );
});

test('the vendors part is passed on', () => {
  const headers = { traceparent: `00-${TRACE}-${SPAN}-01`, tracestate: 'a=1,b=2' };
  expect(traceHeadersOf(parseTraceHeaders(headers)!)).toEqual(headers);
});

test('a later version may say more', () => {
  expect(parseTraceHeaders({ traceparent: `01-${TRACE}-${SPAN}-03-more` })).toEqual({
    traceId: TRACE,
    spanId: SPAN,
    flags: 1,
  });
});

test.each([
  ['none', undefined],
  ['empty', ''],
  ['no ids', 'garbage'],
  ['version ff', `ff-${TRACE}-${SPAN}-01`],
  ['upper case', `00-${TRACE.toUpperCase()}-${SPAN}-01`],
  ['more than version 00 has', `00-${TRACE}-${SPAN}-01-more`],
  ['trace of zeros', `00-${'0'.repeat(32)}-${SPAN}-01`],
  ['span of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
])('no context: %s', (_, traceparent) => {
  expect(parseTraceHeaders({ traceparent })).toBeUndefined();
});
