/**
 * What the folders of golden vectors hold, by the folder's name: a model family, or another part of the
 * product. A kind turns the folder of one case set into comparisons, case by case.
 */

import type { Comparison } from './compare.ts';
import { chronosBolt } from './kinds/chronos-bolt.ts';
import { flowstate } from './kinds/flowstate.ts';
import { graniteTtm } from './kinds/granite-ttm.ts';
import { moirai } from './kinds/moirai.ts';
import { moirai2 } from './kinds/moirai2.ts';
import { sundial } from './kinds/sundial.ts';
import { timer } from './kinds/timer.ts';
import { tirex } from './kinds/tirex.ts';
import { toto } from './kinds/toto.ts';
import { toto2 } from './kinds/toto2.ts';

export interface GoldenCase {
  readonly name: string;
  readonly run: () => Promise<readonly Comparison[]>;
}

/** Cases of one folder that holds a cases.json; `close` frees what they share. */
export interface GoldenSet extends AsyncDisposable {
  readonly cases: readonly GoldenCase[];
}

export type GoldenKind = (folder: string) => Promise<GoldenSet>;

export const KINDS: Readonly<Record<string, GoldenKind>> = {
  'chronos-bolt': chronosBolt,
  flowstate,
  moirai,
  moirai2,
  sundial,
  timer,
  tirex,
  toto,
  toto2,
  'granite-ttm': graniteTtm,
};
