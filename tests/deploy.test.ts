/** What can be held about deploy/ without helm or a cluster; scripts/check-deploy.ts renders with the real tools. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Ajv } from 'ajv';
import { expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';

const DEPLOY = resolve(import.meta.dirname, '../deploy');
const read = (path: string): string => readFileSync(join(DEPLOY, path), 'utf8');

interface Container {
  readonly name: string;
  readonly args?: readonly string[];
  readonly resources?: { readonly limits?: Readonly<Record<string, string>> };
  readonly readinessProbe?: unknown;
  readonly livenessProbe?: unknown;
  readonly securityContext?: Readonly<Record<string, unknown>>;
}

interface Pod {
  readonly automountServiceAccountToken?: boolean;
  readonly securityContext?: Readonly<Record<string, unknown>>;
  readonly containers: readonly Container[];
}

interface Resource {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly template?: {
      readonly metadata: { readonly labels: Readonly<Record<string, string>> };
      readonly spec: Pod;
    };
    readonly selector?: { readonly matchLabels?: Readonly<Record<string, string>> };
    readonly podSelector?: { readonly matchLabels?: Readonly<Record<string, string>> };
  };
}

const resources = parseAllDocuments(read('kubernetes/tollama.yaml')).map(
  (document) => document.toJS() as Resource,
);
const workloads = resources.filter(({ spec }) => spec?.template);

test('the rendered chart holds every part', () => {
  expect(workloads.map(({ metadata }) => metadata.name).sort()).toEqual([
    'tollama',
    'tollama-gateway',
    'tollama-redis',
    'tollama-worker',
  ]);
});

test.each(workloads)('$metadata.name runs without rights that it does not need', ({ spec }) => {
  const pod = spec.template!.spec;
  expect(pod.securityContext).toMatchObject({
    runAsNonRoot: true,
    seccompProfile: { type: 'RuntimeDefault' },
  });
  expect(pod.automountServiceAccountToken).toBe(false);
  for (const container of pod.containers) {
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(container.resources?.limits?.memory).toMatch(/^\d+[MG]i$/);
  }
});

test('everything that serves is probed, and behind a network policy', () => {
  const policies = resources.filter(({ kind }) => kind === 'NetworkPolicy');
  for (const { metadata, spec } of workloads) {
    const { labels } = spec.template!.metadata;
    expect(labels).toMatchObject(spec.selector!.matchLabels!);
    const chosen = policies.filter(({ spec: policy }) =>
      Object.entries(policy.podSelector!.matchLabels!).every(
        ([name, value]) => labels[name] === value,
      ),
    );
    expect(chosen, metadata.name).toHaveLength(1);
    if (metadata.name === 'tollama-worker') continue;
    for (const { readinessProbe, livenessProbe } of spec.template!.spec.containers) {
      expect(readinessProbe, metadata.name).toBeDefined();
      expect(livenessProbe, metadata.name).toBeDefined();
    }
  }
});

test("the chart's own values fit its schema, and misspelt ones do not", () => {
  const { $schema: _, ...schema } = JSON.parse(read('helm/tollama/values.schema.json')) as Record<
    string,
    unknown
  >;
  const fits = new Ajv({ strict: false }).compile(schema);
  const values = parse(read('helm/tollama/values.yaml')) as Record<string, unknown>;
  expect(fits(values), JSON.stringify(fits.errors)).toBe(true);
  expect(fits({ ...values, workres: {} })).toBe(false);
  expect(fits({ ...values, service: { port: 0 } })).toBe(false);
});

/** The part of KServe's ServingRuntimeSpec (v1alpha1) that the runtime uses. */
const SERVING_RUNTIME = {
  type: 'object',
  required: ['apiVersion', 'kind', 'metadata', 'spec'],
  properties: {
    apiVersion: { const: 'serving.kserve.io/v1alpha1' },
    kind: { enum: ['ServingRuntime', 'ClusterServingRuntime'] },
    metadata: { type: 'object', required: ['name'] },
    spec: {
      type: 'object',
      required: ['containers', 'supportedModelFormats'],
      additionalProperties: false,
      properties: {
        annotations: { type: 'object' },
        labels: { type: 'object' },
        multiModel: { type: 'boolean' },
        protocolVersions: { type: 'array', items: { enum: ['v1', 'v2', 'grpc-v1', 'grpc-v2'] } },
        supportedModelFormats: {
          type: 'array',
          minItems: 1,
          items: {
            type: 'object',
            required: ['name'],
            additionalProperties: false,
            properties: {
              name: { type: 'string' },
              version: { type: 'string' },
              autoSelect: { type: 'boolean' },
              priority: { type: 'integer', minimum: 1 },
            },
          },
        },
        containers: {
          type: 'array',
          minItems: 1,
          items: { type: 'object', required: ['name', 'image'] },
        },
        volumes: { type: 'array' },
      },
    },
  },
};

test("the serving runtime has KServe's form, and its container the hardening of the chart", () => {
  const runtime = parse(read('kserve/serving-runtime.yaml')) as Resource & {
    spec: { containers: Container[] };
  };
  const fits = new Ajv({ strict: false }).compile(SERVING_RUNTIME);
  expect(fits(runtime), JSON.stringify(fits.errors)).toBe(true);
  const [container] = runtime.spec.containers;
  // KServe finds the container of a predictor by this name.
  expect(container!.name).toBe('kserve-container');
  expect(container!.securityContext).toMatchObject({ readOnlyRootFilesystem: true });
});

test('the container file copies what exists, and ends as a user without rights', () => {
  const lines = read('container/Containerfile').split('\n');
  const copied = lines
    .filter((line) => /^COPY (?!--from)/.test(line))
    .map((line) => line.split(/\s+/).filter((word) => !word.startsWith('--'))[1]!);
  for (const path of copied) expect(existsSync(resolve(DEPLOY, '..', path)), path).toBe(true);
  const users = lines.filter((line) => line.startsWith('USER '));
  expect(users.at(-1)).toBe('USER 10001:10001');
});

test('the unit is hardened and writes only its state', () => {
  const unit = read('systemd/tollama.service');
  for (const line of [
    'DynamicUser=yes',
    'ProtectSystem=strict',
    'NoNewPrivileges=yes',
    'CapabilityBoundingSet=',
  ]) {
    expect(unit.split('\n')).toContain(line);
  }
});
