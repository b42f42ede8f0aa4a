import { expect, test } from 'vitest';
import { traceSettings } from './trace-settings.ts';

const BASE = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/' };

test('nothing is traced unless a collector is named', () => {
  expect(traceSettings('s', {})).toBeUndefined();
  expect(traceSettings('s', { ...BASE, OTEL_SDK_DISABLED: 'true' })).toBeUndefined();
  expect(traceSettings('s', { ...BASE, OTEL_TRACES_EXPORTER: 'none' })).toBeUndefined();
});

test('the address: its own variable, the common one, the configuration file', () => {
  expect(traceSettings('s', BASE)?.url).toBe('http://collector:4318/v1/traces');
  const own = { ...BASE, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://other/t' };
  expect(traceSettings('s', own)?.url).toBe('https://other/t');
  expect(traceSettings('s', {}, 'http://file:4318')?.url).toBe('http://file:4318/v1/traces');
  expect(() => traceSettings('s', { OTEL_EXPORTER_OTLP_ENDPOINT: 'collector' })).toThrow(
    "OTEL_EXPORTER_OTLP_ENDPOINT='collector/v1/traces' is no address",
  );
});

test('headers, names and sampling as the specification has them', () => {
  const settings = traceSettings('s', {
    ...BASE,
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Basic%20a%3D%3D, x-team=one',
    OTEL_SERVICE_NAME: 'mine',
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment=prod',
    OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
    OTEL_TRACES_SAMPLER_ARG: '0.25',
    OTEL_BSP_SCHEDULE_DELAY: '100',
  });
  expect(settings).toMatchObject({
    service: 'mine',
    headers: { authorization: 'Basic a==', 'x-team': 'one' },
    resource: { 'deployment.environment': 'prod' },
    ratio: 0.25,
    followsParent: true,
    delayMs: 100,
  });
  expect(traceSettings('s', { ...BASE, OTEL_TRACES_SAMPLER: 'always_off' })).toMatchObject({
    ratio: 0,
    followsParent: false,
  });
});

test('an empty variable is one that is not set, and a time that no timer holds is none', () => {
  const env = {
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://localhost:4318',
    OTEL_EXPORTER_OTLP_HEADERS: 'a=1',
    OTEL_EXPORTER_OTLP_TRACES_HEADERS: '',
    OTEL_EXPORTER_OTLP_TIMEOUT: '7',
    OTEL_EXPORTER_OTLP_TRACES_TIMEOUT: '',
    OTEL_BSP_SCHEDULE_DELAY: 'Infinity',
  };
  const settings = traceSettings('x', env);
  expect(settings).toMatchObject({ headers: { a: '1' }, timeoutMs: 7, delayMs: 5000 });
});
