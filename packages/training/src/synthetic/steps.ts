/** Steps and change points: stretches that stay, climb, fall, spike, swing or walk, joined at one level. */
import { drawIndex, drawPeriods, type Generator } from './generator.ts';
import type { Random } from './random.ts';
import { addWave } from './waves.ts';

interface Piece {
  readonly weight: number;
  /** Steps of the stretch, changes within it, and their sizes. */
  readonly length: readonly [number, number];
  readonly changes: readonly [number, number];
  readonly size: readonly [number, number];
  readonly sign: 'up' | 'down' | 'either' | 'spike';
}

const PIECES: readonly Piece[] = [
  { weight: 0.8, length: [200, 600], changes: [0, 3], size: [-0.1, 0.1], sign: 'up' },
  { weight: 0.6, length: [300, 700], changes: [5, 15], size: [1, 5], sign: 'up' },
  { weight: 0.6, length: [300, 700], changes: [5, 15], size: [1, 5], sign: 'down' },
  { weight: 0.4, length: [200, 500], changes: [3, 8], size: [3, 10], sign: 'spike' },
  { weight: 0.3, length: [400, 800], changes: [8, 20], size: [-4, 4], sign: 'up' },
  { weight: 0.2, length: [100, 400], changes: [5, 20], size: [-3, 3], sign: 'up' },
];
/** What is left of a spike's rise by its end. */
const DECAY = 0.7;

/** Level changes of one stretch: position -> change. */
const drawChanges = (random: Random, piece: Piece, length: number): Map<number, number> => {
  const changes = new Map<number, number>();
  const count = random.integer(piece.changes[0], piece.changes[1]);
  const direction =
    piece.sign === 'down' || (piece.sign === 'spike' && random.chance(0.5)) ? -1 : 1;
  let size = random.between(piece.size[0], piece.size[1]);
  for (let k = 0; k < count; k++) {
    const at = Math.floor(((k + random.uniform()) / count) * length);
    if (piece.sign === 'spike') {
      const isBack = 2 * k >= count;
      changes.set(at, direction * size * (isBack ? -0.5 : 1));
      size *= DECAY;
    } else {
      changes.set(at, direction * random.between(piece.size[0], piece.size[1]));
    }
  }
  return changes;
};

export const steps: Generator = (random, length) => {
  const values = new Float64Array(length);
  const unit = random.logBetween(0.05, 1);
  let level = 0;
  let t = 0;
  while (t < length) {
    const piece =
      PIECES[
        drawIndex(
          random,
          PIECES.map(({ weight }) => weight),
        )
      ]!;
    const count = Math.max(4, Math.round(unit * random.integer(piece.length[0], piece.length[1])));
    const changes = drawChanges(random, piece, count);
    for (let k = 0; k < count && t < length; k++, t++) {
      level += changes.get(k) ?? 0;
      values[t] = level;
    }
  }
  const periods = random.chance(0.5) ? drawPeriods(random, length) : [];
  for (const [i, period] of periods.entries()) {
    const size = random.between(0, i === 0 ? 3 : 2);
    addWave(values, (2 * Math.PI) / period, size * random.normal(), size * random.normal());
  }
  const noise = random.logBetween(0.001, 1);
  for (let i = 0; i < length; i++) values[i]! += random.normal(0, noise);
  return { values, periods };
};
