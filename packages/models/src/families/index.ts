/** All families, one line each; the first that recognises a config.json takes it. */
import type { Family } from '../family.ts';
import { chronos2 } from './chronos-2.ts';
import { chronosBolt } from './chronos-bolt.ts';
import { chronosT5 } from './chronos-t5.ts';
import { flowstate } from './flowstate.ts';
import { graniteTtm } from './granite-ttm.ts';
import { lagLlama } from './lag-llama.ts';
import { moirai } from './moirai.ts';
import { moirai2 } from './moirai2.ts';
import { nbeatsx } from './nbeatsx.ts';
import { nhits } from './nhits.ts';
import { patchtst } from './patchtst.ts';
import { patchtstFm } from './patchtst-fm.ts';
import { sundial } from './sundial.ts';
import { tide } from './tide.ts';
import { timer } from './timer.ts';
import { timesfm } from './timesfm.ts';
import { timesfm1 } from './timesfm-1.ts';
import { tirex } from './tirex.ts';
import { tollamaNano } from './tollama-nano.ts';
import { toto } from './toto.ts';
import { toto2 } from './toto2.ts';

// A family's functions take their own config type; past `recognizes` and `config.parse` it is theirs.
export const FAMILIES: readonly Family[] = [
  chronosBolt,
  chronos2,
  chronosT5,
  flowstate,
  lagLlama,
  moirai2,
  moirai,
  sundial,
  timer,
  tirex,
  timesfm,
  timesfm1,
  toto,
  toto2,
  graniteTtm,
  patchtstFm,
  nhits,
  nbeatsx,
  tide,
  patchtst,
  tollamaNano,
] as unknown as readonly Family[];
