/** All families, one line each; the first that recognises a config.json takes it. */
import type { Family } from '../family.ts';
import { chronosBolt } from './chronos-bolt.ts';
import { flowstate } from './flowstate.ts';
import { graniteTtm } from './granite-ttm/granite-ttm.ts';
import { moirai } from './moirai.ts';
import { moirai2 } from './moirai2.ts';
import { sundial } from './sundial.ts';
import { timer } from './timer.ts';
import { tirex } from './tirex.ts';
import { toto } from './toto/toto.ts';
import { toto2 } from './toto2/toto2.ts';

// A family's functions take their own config type; past `recognizes` and `config.parse` it is theirs.
export const FAMILIES: readonly Family[] = [
  chronosBolt,
  flowstate,
  moirai2,
  moirai,
  sundial,
  timer,
  tirex,
  toto,
  toto2,
  graniteTtm,
] as unknown as readonly Family[];
