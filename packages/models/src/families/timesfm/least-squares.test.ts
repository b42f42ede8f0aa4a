import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { covariateMatrix } from './covariate-matrix.ts';
import { leastSquares, predict, symmetricEigen } from './least-squares.ts';

const number = fc.double({ min: -4, max: 4, noNaN: true });

describe('symmetricEigen', () => {
  test.prop([
    fc.array(fc.array(number, { minLength: 4, maxLength: 4 }), { minLength: 4, maxLength: 4 }),
  ])('takes a symmetric matrix apart', (half) => {
    const matrix = half.map((row, i) =>
      Float64Array.from(row, (_, j) => half[Math.min(i, j)]![Math.max(i, j)]!),
    );
    const { values, vectors } = symmetricEigen(matrix);
    matrix.forEach((row, i) => {
      row.forEach((element, j) => {
        const sum = values.reduce(
          (s, value, k) => s + value * vectors[i]![k]! * vectors[j]![k]!,
          0,
        );
        expect(sum).toBeCloseTo(element, 9);
      });
    });
  });
});

describe('leastSquares', () => {
  const rows = Array.from({ length: 12 }, (_, i) => [1, Math.sin(i), Math.cos(2 * i)]);

  test.prop([number, number, number])('finds the coefficients of an exact model', (a, b, c) => {
    const targets = rows.map(([x, y, z]) => a * x! + b * y! + c * z!);
    const solution = leastSquares(rows, targets, 0);
    expect(predict(rows, solution).every((value, i) => Math.abs(value - targets[i]!) < 1e-9)).toBe(
      true,
    );
    [a, b, c].forEach((want, i) => {
      expect(solution[i]).toBeCloseTo(want, 9);
    });
  });

  test('shares a coefficient among equal columns', () => {
    const twice = rows.map(([x, y]) => [x!, y!, y!]);
    const solution = leastSquares(
      twice,
      twice.map(([, y]) => 4 * y!),
      0,
    );
    expect(Array.from(solution, (value) => Math.abs(value).toFixed(9))).toEqual(
      [0, 2, 2].map((value) => value.toFixed(9)),
    );
  });

  test('shrinks under a penalty', () => {
    const targets = rows.map(([, y]) => 4 * y!);
    expect(leastSquares(rows, targets, 5)[1]).toBeLessThan(3);
  });
});

describe('covariateMatrix', () => {
  const series = (price: number[], day: string[], store: string) => ({
    series: {
      id: store,
      targets: [[0, 0]],
      pastCovariates: { price: price.slice(0, 2), day: day.slice(0, 2) },
      futureCovariates: { price: price.slice(2), day: day.slice(2) },
      staticCovariates: { store },
    },
    from: 0,
    until: 2,
  });
  const both = [
    series([1, 3, 5], ['10', '9', '9'], 'b'),
    series([1, 3, Number.NaN], ['9', '11', 'x'], 'a'),
  ];

  test('standardises numbers, and gives each category a column', () => {
    expect(covariateMatrix(both, 1, false)).toEqual([
      [
        [1, -1, 0, 1, 0, 0, 1],
        [1, 1, 1, 0, 0, 0, 1],
        [1, 3, 1, 0, 0, 0, 1],
      ],
      [
        [1, -1, 1, 0, 0, 1, 0],
        [1, 1, 0, 0, 1, 1, 0],
        [1, 0, 0, 0, 0, 1, 0],
      ],
    ]);
  });

  test('drops the first category of each covariate', () => {
    expect(covariateMatrix(both, 1, true)[0]).toEqual([
      [1, -1, 1, 0, 1],
      [1, 1, 0, 0, 1],
      [1, 3, 0, 0, 1],
    ]);
  });

  test('repeats facts over the horizon where nothing else tells its length', () => {
    const [one] = both as [(typeof both)[0]];
    const fixed = { ...one, series: { ...one.series, pastCovariates: {}, futureCovariates: {} } };
    expect(covariateMatrix([fixed], 3, false)).toEqual([Array(5).fill([1, 1])]);
  });
});
