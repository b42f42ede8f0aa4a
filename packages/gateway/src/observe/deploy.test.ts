/** The dashboard and the alerts ask for metrics that exist. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { openTestGateway } from '../testing/test-gateway.ts';

const ROOT = resolve(import.meta.dirname, '../../../..');
const read = (path: string): string => readFileSync(resolve(ROOT, path), 'utf8');

interface Dashboard {
  readonly panels: readonly { readonly targets: readonly { readonly expr: string }[] }[];
}
interface Rules {
  readonly groups: readonly {
    readonly rules: readonly { readonly record?: string; readonly expr: string }[];
  }[];
}

const dashboard = JSON.parse(read('deploy/grafana/tsfm-gateway.json')) as Dashboard;
const rules = parse(read('deploy/prometheus/tsfm-gateway.rules.yaml')) as Rules;

const namesIn = (expression: string): readonly string[] =>
  expression.match(/\b(?:tsfm|calibration|process)[_:][\w:]+/g) ?? [];

test('every metric that is asked for is served or recorded', async () => {
  await using gateway = await openTestGateway({ tsfm: { rollout_stage: 'canary_5' } });
  const { body } = await gateway.get('/metrics');
  const declared = [...(body as string).matchAll(/^# TYPE (\S+) (\S+)/gm)].flatMap(
    ([, name = '', type]) => (type === 'histogram' ? [name, `${name}_bucket`] : [name]),
  );
  const all = rules.groups.flatMap((group) => group.rules);
  const known = new Set([...declared, ...all.flatMap(({ record }) => record ?? [])]);
  const asked = [
    ...dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr)),
    ...all.map(({ expr }) => expr),
  ].flatMap(namesIn);
  expect(asked.length).toBeGreaterThan(30);
  expect(asked.filter((name) => !known.has(name))).toEqual([]);
});
