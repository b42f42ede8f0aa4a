import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { COMPONENT_KINDS } from './components.ts';
import { mixtureLogDensity, mixtureMean, mixtureQuantile, type Part } from './mixture.ts';

const number = (min: number, max: number) => fc.double({ min, max, noNaN: true });

/** Parameters as the head gives them, of any kind. */
const parameters = fc.record({
  df: number(2, 30),
  loc: number(-3, 3),
  scale: number(0.01, 3),
  total_count: number(0.01, 8),
  logits: number(-4, 3),
  alpha: number(2, 8),
});

/** One part of each kind among `kinds`, with weights that sum to 1. */
const mixtures = (kinds = COMPONENT_KINDS): fc.Arbitrary<readonly Part[]> =>
  fc
    .tuple(
      ...kinds.map((kind) =>
        fc.record({ weight: number(0.05, 1), own: parameters, kind: fc.constant(kind) }),
      ),
    )
    .map((parts) => {
      const total = parts.reduce((sum, { weight }) => sum + weight, 0);
      return parts.map(({ weight, own, kind }) => ({
        weight: weight / total,
        isDiscrete: kind.isDiscrete,
        distribution: kind.at(kind.name === 'normal_fixed' ? { ...own, scale: 0.001 } : own),
      }));
    });

const cdf = (parts: readonly Part[], z: number): number =>
  parts.reduce((sum, { weight, distribution }) => sum + weight * distribution.cdf(z), 0);

const CONTINUOUS = COMPONENT_KINDS.filter(({ isDiscrete }) => !isDiscrete);

describe('mixtureQuantile', () => {
  test.prop([mixtures(), number(0.001, 0.999)])(
    'is the first place that reaches its level',
    (parts, level) => {
      const z = mixtureQuantile(parts, level);
      const margin = 1e-7 * (1 + Math.abs(z));
      expect(cdf(parts, z + margin)).toBeGreaterThanOrEqual(level - 1e-9);
      expect(cdf(parts, z - margin)).toBeLessThanOrEqual(level + 1e-9);
    },
  );

  test.prop([mixtures(CONTINUOUS), number(0.001, 0.999)])(
    'needs no component with steps',
    (parts, level) => {
      expect(cdf(parts, mixtureQuantile(parts, level))).toBeCloseTo(level, 6);
    },
  );

  test.prop([mixtures(), number(0.001, 0.999), fc.constantFrom(1e-15, 1e-12, 1e-9)])(
    'is ordered for levels that are nearly one',
    (parts, level, apart) => {
      expect(mixtureQuantile(parts, level)).toBeLessThanOrEqual(
        mixtureQuantile(parts, level + apart),
      );
    },
  );

  test.prop([mixtures(), number(0.001, 0.999), number(0.001, 0.999)])(
    'is ordered',
    (parts, a, b) => {
      const [low, high] = [Math.min(a, b), Math.max(a, b)].map((level) =>
        mixtureQuantile(parts, level),
      );
      expect(low!).toBeLessThanOrEqual(high!);
    },
  );
});

describe('mixtureQuantile at the limits', () => {
  const counts = COMPONENT_KINDS.find(({ isDiscrete }) => isDiscrete)!;
  const part = (distribution: Part['distribution'], isDiscrete: boolean): Part => ({
    weight: 1,
    isDiscrete,
    distribution,
  });

  test.each(COMPONENT_KINDS)('is NaN where a parameter of $name is', (kind) => {
    const own = { df: Number.NaN, loc: Number.NaN, scale: Number.NaN, logits: Number.NaN };
    const parts = [part(kind.at({ ...own, total_count: Number.NaN, alpha: 3 }), kind.isDiscrete)];
    expect(mixtureQuantile(parts, 0.7)).toBeNaN();
  });

  test('comes to an end for counts beyond all whole numbers', () => {
    const parts = [part(counts.at({ total_count: 2, logits: 60 }), true)];
    expect(mixtureQuantile(parts, 0.5)).toBeGreaterThan(0);
  });
});

describe('components', () => {
  test.prop([fc.constantFrom(...CONTINUOUS), parameters, number(-4, 4)])(
    'of continuous kinds have the density of their distribution function',
    (kind, own, z) => {
      const { cdf: distribution, logDensity } = kind.at(own);
      const step = 1e-6 * own.scale;
      fc.pre(kind.name !== 'log_normal' || z > 0.05);
      // Where its values begin, its distribution function has a corner.
      fc.pre(!kind.name.startsWith('pareto') || Math.abs(z - own.scale) > 2 * step);
      const slope = (distribution(z + step) - distribution(z - step)) / (2 * step);
      expect(Math.abs(slope - Math.exp(logDensity(z)))).toBeLessThan(1e-3 * (1 + 1 / own.scale));
    },
  );

  test.prop([parameters, fc.integer({ min: 0, max: 12 })])(
    'of counts sum their probabilities',
    (own, k) => {
      const counts = COMPONENT_KINDS.find(({ isDiscrete }) => isDiscrete)!.at(own);
      let sum = 0;
      for (let i = 0; i <= k; i++) sum += Math.exp(counts.logDensity(i));
      expect(counts.cdf(k)).toBeCloseTo(sum, 9);
      expect(counts.cdf(k + 0.5)).toBe(counts.cdf(k));
      expect(counts.cdf(-0.5)).toBe(0);
    },
  );
});

describe('mixtures', () => {
  test('weigh means, and drop components whose support does not reach', () => {
    const [t, logNormal] = ['student_t', 'log_normal'].map(
      (name) => COMPONENT_KINDS.find((kind) => kind.name === name)!,
    );
    const parts: Part[] = [
      { weight: 0.25, isDiscrete: false, distribution: t!.at({ df: 4, loc: 2, scale: 1 }) },
      { weight: 0.75, isDiscrete: false, distribution: logNormal!.at({ loc: 0, scale: 1 }) },
    ];
    expect(mixtureMean(parts)).toBeCloseTo(0.5 + 0.75 * Math.exp(0.5), 12);
    expect(mixtureLogDensity(parts, -1)).toBeCloseTo(
      Math.log(0.25) + parts[0]!.distribution.logDensity(-1),
      12,
    );
    expect(mixtureLogDensity([parts[1]!], -1)).toBe(Number.NEGATIVE_INFINITY);
  });
});
