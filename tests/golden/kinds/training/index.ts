/** Cases of the training stack; `input.op` says what each is about. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Comparison, compare, type Tolerance } from '../../compare.ts';
import type { GoldenKind } from '../../kinds.ts';
import { controlOps } from './control.ts';
import { gradientOps } from './gradients.ts';
import { optimizerOps } from './optimizers.ts';
import { peftOps } from './peft.ts';
import { scheduleOps } from './schedules.ts';

type Fields = Readonly<Record<string, unknown>>;

interface Case extends Tolerance {
  readonly name: string;
  readonly input: Fields & { readonly op: string };
  readonly expected: Fields;
}

/** Answers what a case expects, field by field. */
type Operation = (input: Fields, folder: string) => Fields | Promise<Fields>;

const OPERATIONS: Readonly<Record<string, Operation>> = {
  ...controlOps,
  ...gradientOps,
  ...optimizerOps,
  ...peftOps,
  ...scheduleOps,
};

/** Holds a whole case to its numbers by itself. */
type SelfComparing = (
  given: unknown,
  folder: string,
) => Promise<readonly Comparison[]> | readonly Comparison[];

const SELF_COMPARING: Readonly<Record<string, SelfComparing>> = {};

/** Numbers to their tolerance; words, null and what is absent to the letter. */
const compareField = (
  label: string,
  got: unknown,
  want: unknown,
  tolerance: Tolerance,
): readonly Comparison[] => {
  if (Array.isArray(want) && !want.every((one) => typeof one === 'number' || one === null)) {
    const list = Array.isArray(got) ? got : [];
    return want.flatMap((one, i) => compareField(`${label}[${i}]`, list[i], one, tolerance));
  }
  if (typeof want === 'object' && want !== null && !Array.isArray(want)) {
    return Object.entries(want).flatMap(([name, value]) =>
      compareField(`${label}.${name}`, (got as Fields | undefined)?.[name], value, tolerance),
    );
  }
  if (typeof want === 'number' || Array.isArray(want)) {
    return [compare(label, got ?? [], want, tolerance)];
  }
  const isSame = (got ?? null) === want;
  const detail = `got ${JSON.stringify(got)}, want ${JSON.stringify(want)}`;
  return [{ label, worst: isSame ? 0 : Number.POSITIVE_INFINITY, detail }];
};

export const training: GoldenKind = async (folder) => {
  const cases = JSON.parse(await readFile(join(folder, 'cases.json'), 'utf8')) as readonly Case[];
  const run = async (one: Case): Promise<readonly Comparison[]> => {
    const { input, expected, ...tolerance } = one;
    const whole = SELF_COMPARING[input.op];
    if (whole) return whole(one, folder);
    const operation = OPERATIONS[input.op];
    if (!operation) {
      const detail = `no operation '${input.op}' yet`;
      return [{ label: input.op, worst: Number.POSITIVE_INFINITY, detail }];
    }
    return compareField('', await operation(input, folder), expected, tolerance);
  };
  return {
    cases: cases.map((one) => ({ name: one.name, run: () => run(one) })),
    [Symbol.asyncDispose]: async () => {},
  };
};
