/**
 * `rearrange`, `repeat`: the one way to split, reorder and join axes, in the notation of einops
 * (Rogozhnikov, ICLR 2022), so that shapes are read, not traced.
 */
import {
  type Dim,
  dimEquals,
  dimText,
  divideDims,
  multiplyDims,
  shapeEquals,
} from './dimension.ts';
import { misfit } from './misfit.ts';
import type { Shape, Tensor } from './node.ts';
import { broadcast, reshape, transpose } from './ops.ts';

/** One axis of a pattern: the names that it is made of; none for a literal 1. */
type Axis = readonly string[];

const parseSide = (side: string, pattern: string): readonly Axis[] => {
  const axes: Axis[] = [];
  for (const token of side.trim().match(/\([^()]*\)|\S+/g) ?? []) {
    const names = token
      .replace(/[()]/g, ' ')
      .trim()
      .split(/\s+/)
      .filter((name) => name && name !== '1');
    const isJoined = token.startsWith('(') && token.endsWith(')');
    if (!isJoined && /[()]/.test(token)) misfit(`rearrange '${pattern}': cannot read '${token}'`);
    if (names.some((name) => !/^[a-z]\w*$/i.test(name)))
      misfit(`rearrange '${pattern}': cannot read '${token}'`);
    axes.push(names);
  }
  return axes;
};

interface Pattern {
  readonly from: readonly Axis[];
  readonly to: readonly Axis[];
}

const patterns = new Map<string, Pattern>();

const parsePattern = (pattern: string): Pattern => {
  const known = patterns.get(pattern);
  if (known) return known;
  const sides = pattern.split('->');
  if (sides.length !== 2) misfit(`rearrange '${pattern}': needs exactly one '->'`);
  const parsed = { from: parseSide(sides[0]!, pattern), to: parseSide(sides[1]!, pattern) };
  patterns.set(pattern, parsed);
  return parsed;
};

/** Sizes of all names on the left: given ones, whole axes, and one unknown part of each joined axis. */
const bindSizes = (
  shape: Shape,
  { from }: Pattern,
  pattern: string,
  given: Record<string, Dim>,
): Map<string, Dim> => {
  if (from.length !== shape.length) {
    misfit(`rearrange '${pattern}': got a tensor of rank ${shape.length}`);
  }
  const sizes = new Map<string, Dim>(Object.entries(given));
  from.forEach((names, i) => {
    const unknown = names.filter((name) => !sizes.has(name));
    const known = multiplyDims(
      ...names.filter((name) => sizes.has(name)).map((name) => sizes.get(name)!),
    );
    // A joined axis of known parts may be empty, which no division tells.
    const rest = dimEquals(shape[i]!, known) ? 1 : divideDims(shape[i]!, known);
    if (unknown.length > 1 || rest === undefined || (unknown.length === 0 && rest !== 1)) {
      misfit(
        `rearrange '${pattern}': axis ${i} of size ${dimText(shape[i]!)} is not (${names.join(' ')})`,
      );
    }
    if (unknown.length === 1) sizes.set(unknown[0]!, rest as Dim);
  });
  return sizes;
};

const sizesOf = (axes: readonly Axis[], sizes: ReadonlyMap<string, Dim>): Shape =>
  axes.map((names) => multiplyDims(...names.map((name) => sizes.get(name)!)));

const reshapeTo = (x: Tensor, shape: Shape): Tensor =>
  shapeEquals(shape, x.shape) ? x : reshape(x, shape);

/**
 * Splits, reorders and joins axes.
 *
 * @example
 * rearrange(x, 'b s (h k) -> b h s k', { h: 8 }); // [2, 33, 512] -> [2, 8, 33, 64]
 */
export const rearrange = (x: Tensor, pattern: string, given: Record<string, Dim> = {}): Tensor => {
  const parsed = parsePattern(pattern);
  const sizes = bindSizes(x.shape, parsed, pattern, given);
  const left = parsed.from.flat();
  const right = parsed.to.flat();
  if (left.length !== right.length || left.some((name) => !right.includes(name))) {
    misfit(`rearrange '${pattern}': both sides must have the same names`);
  }
  const split = reshapeTo(
    x,
    left.map((name) => sizes.get(name)!),
  );
  const ordered = transpose(
    split,
    right.map((name) => left.indexOf(name)),
  );
  return reshapeTo(ordered, sizesOf(parsed.to, sizes));
};

/**
 * As `rearrange`, with new names on the right that repeat the tensor.
 *
 * @example
 * repeat(start, 'd -> b 1 d', { b: batch }); // [512] -> [batch, 1, 512]
 */
export const repeat = (x: Tensor, pattern: string, given: Record<string, Dim>): Tensor => {
  const parsed = parsePattern(pattern);
  const sizes = bindSizes(x.shape, parsed, pattern, given);
  const left = parsed.from.flat();
  const right = parsed.to.flat();
  const added = right.filter((name) => !left.includes(name));
  if (added.some((name) => !sizes.has(name)) || left.some((name) => !right.includes(name))) {
    misfit(`repeat '${pattern}': every new name needs a size, every old one must stay`);
  }
  const split = reshapeTo(
    x,
    left.map((name) => sizes.get(name)!),
  );
  const kept = right.filter((name) => left.includes(name));
  const ordered = transpose(
    split,
    kept.map((name) => left.indexOf(name)),
  );
  const spread = reshapeTo(
    ordered,
    right.map((name) => (added.includes(name) ? 1 : sizes.get(name)!)),
  );
  const full = broadcast(
    spread,
    right.map((name) => sizes.get(name)!),
  );
  return reshapeTo(full, sizesOf(parsed.to, sizes));
};
