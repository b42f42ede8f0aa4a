/**
 * What the folders of golden vectors hold, by the folder's name: a model family, or another part of the
 * product. A kind turns the folder of one case set into comparisons, case by case.
 */

import type { Comparison } from './compare.ts';
import { chronos2 } from './kinds/chronos-2.ts';
import { chronosBolt } from './kinds/chronos-bolt.ts';
import { chronosT5 } from './kinds/chronos-t5.ts';
import { flowstate } from './kinds/flowstate.ts';
import { giftEvalMetrics } from './kinds/gift-eval-metrics.ts';
import { graniteEnsemble } from './kinds/granite-ensemble.ts';
import { graniteTtm } from './kinds/granite-ttm.ts';
import { lagLlama } from './kinds/lag-llama.ts';
import { moirai } from './kinds/moirai.ts';
import { moirai2 } from './kinds/moirai2.ts';
import { patchtstFm } from './kinds/patchtst-fm.ts';
import { sundial } from './kinds/sundial.ts';
import { timer } from './kinds/timer.ts';
import { timesfm } from './kinds/timesfm.ts';
import { tirex } from './kinds/tirex.ts';
import { toto } from './kinds/toto.ts';
import { toto2 } from './kinds/toto2.ts';
import { training } from './kinds/training/index.ts';
import { tsfmRunner } from './kinds/tsfm-runner.ts';

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
  'chronos-2': chronos2,
  'chronos-bolt': chronosBolt,
  flowstate,
  'lag-llama': lagLlama,
  moirai,
  'chronos-t5': chronosT5,
  moirai2,
  sundial,
  timer,
  tirex,
  timesfm,
  toto,
  toto2,
  'granite-ensemble': graniteEnsemble,
  'granite-ttm': graniteTtm,
  'patchtst-fm': patchtstFm,
  'gift-eval-metrics': giftEvalMetrics,
  training,
  'tsfm-runner': tsfmRunner,
};
