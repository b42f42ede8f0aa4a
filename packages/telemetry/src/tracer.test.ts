import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { TollamaError } from '@tollama/core/errors';
import { expect, test } from 'vitest';
import { activeTraceHeaders, inCallersTrace, inSpan, tellActiveSpan } from './active-trace.ts';
import { openFakeCollector } from './testing/fake-collector.ts';
import { openTracer } from './tracer.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = { traceparent: `00-${TRACE}-00f067aa0ba902b7-01`, tracestate: 'a=1' };

test('spans of one request, their parents, attributes and errors', async () => {
  await using collector = await openFakeCollector();
  const tracer = await openTracer('service', {
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_HEADERS: 'x-key=1',
  });
  const work = inCallersTrace(tracer, PARENT, { name: 'whole' }, () =>
    inSpan('part', { attributes: { asked: 2, absent: undefined } }, async () => {
      tellActiveSpan({ told: true });
      expect(activeTraceHeaders()).toMatchObject({ tracestate: 'a=1' });
      throw new TollamaError('TIMEOUT', 'too late');
    }),
  );
  await expect(work).rejects.toThrow('too late');
  await tracer![Symbol.asyncDispose]();
  const [part, whole] = collector.spans;
  expect(whole).toMatchObject({ name: 'whole', traceId: TRACE, kind: 2, status: 2 });
  expect(whole!.parentSpanId).toBe('00f067aa0ba902b7');
  expect(part).toMatchObject({ name: 'part', traceId: TRACE, service: 'service', status: 2 });
  expect(part!.parentSpanId).toBe(whole!.spanId);
  expect(part!.attributes).toEqual({ asked: 2, told: true, 'error.type': 'TIMEOUT' });
  expect(collector.headers[0]).toMatchObject({ 'x-key': '1' });
});

test('a caller that is not sampled stays so', async () => {
  await using collector = await openFakeCollector();
  const tracer = await openTracer('s', { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
  const unsampled = { traceparent: PARENT.traceparent.replace(/01$/, '00') };
  await inCallersTrace(tracer, unsampled, { name: 'one' }, async () => {
    expect(activeTraceHeaders().traceparent).toMatch(new RegExp(`^00-${TRACE}-.*-00$`));
  });
  await tracer![Symbol.asyncDispose]();
  expect(collector.spans).toEqual([]);
});

test("without a collector the caller's context is passed on as it came", async () => {
  expect(await openTracer('s', {})).toBeUndefined();
  await inCallersTrace(undefined, PARENT, { name: 'one' }, () =>
    inSpan('two', {}, async (span) => {
      expect(span).toBeUndefined();
      expect(activeTraceHeaders()).toEqual(PARENT);
    }),
  );
  await inCallersTrace(undefined, {}, { name: 'one' }, async () => {
    expect(activeTraceHeaders()).toEqual({});
  });
});

test('a collector that is not there disturbs nobody', async () => {
  const tracer = await openTracer('s', { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' });
  expect(await inCallersTrace(tracer, {}, { name: 'one' }, async () => 7)).toBe(7);
  await tracer![Symbol.asyncDispose]();
});

test('without a collector nothing of OpenTelemetry is loaded', async () => {
  const program = `
    import { registerHooks } from 'node:module';
    const seen = [];
    registerHooks({ resolve: (name, context, next) => (seen.push(name), next(name, context)) });
    const { openTracer } = await import('@tollama/telemetry');
    await openTracer('s', {});
    console.log(JSON.stringify(seen.filter((name) => name.includes('opentelemetry'))));`;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '-e', program],
    { cwd: import.meta.dirname },
  );
  expect(JSON.parse(stdout)).toEqual([]);
});
