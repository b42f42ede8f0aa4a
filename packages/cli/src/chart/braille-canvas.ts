/** A grid of dots, 2 x 4 of them in each character (Unicode braille patterns). */

export const DOTS_ACROSS = 2;
export const DOTS_DOWN = 4;
const FIRST_PATTERN = 0x2800;

/** Bit of each dot in a pattern, by row and column of the dot. */
const BITS = [
  [0x01, 0x08],
  [0x02, 0x10],
  [0x04, 0x20],
  [0x40, 0x80],
] as const;

/** A dot: x to the right, y downwards, both from 0. */
export interface Dot {
  readonly x: number;
  readonly y: number;
}

export interface BrailleCanvas {
  readonly set: (dot: Dot) => void;
  /** Sets the dots between two, these included. */
  readonly line: (from: Dot, to: Dot) => void;
  /** The character at a column and row; empty where no dot is set. */
  readonly character: (column: number, row: number) => string;
}

/** A canvas of so many characters. Dots outside of it are not drawn. */
export const createCanvas = (columns: number, rows: number): BrailleCanvas => {
  const patterns = new Uint8Array(columns * rows);
  const set = ({ x, y }: Dot): void => {
    const [column, row] = [Math.floor(x / DOTS_ACROSS), Math.floor(y / DOTS_DOWN)];
    if (column < 0 || column >= columns || row < 0 || row >= rows) return;
    patterns[row * columns + column]! |= BITS[y % DOTS_DOWN]![x % DOTS_ACROSS]!;
  };
  return {
    set,
    line: (from, to) => {
      const steps = Math.max(Math.abs(to.x - from.x), Math.abs(to.y - from.y), 1);
      for (let i = 0; i <= steps; i++) {
        set({
          x: Math.round(from.x + ((to.x - from.x) * i) / steps),
          y: Math.round(from.y + ((to.y - from.y) * i) / steps),
        });
      }
    },
    character: (column, row) => {
      const pattern = patterns[row * columns + column]!;
      return pattern === 0 ? '' : String.fromCharCode(FIRST_PATTERN + pattern);
    },
  };
};
