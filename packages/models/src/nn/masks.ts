/** Numbers that are added to attention scores so that a query does not see a key. */
import {
  addDims,
  type Dim,
  greater,
  iota,
  rearrange,
  slice,
  type Tensor,
  where,
} from '@tollama/graph';

/** The lowest float32: masked keys are pushed there, so that a query without any key averages all. */
export const FLOAT_MIN = -3.4028234663852886e38;

/** 0 where one of `length` tokens behind `past` ones may look, FLOAT_MIN at later ones. -> [1, 1, s, past + s] */
export const causalMask = (past: Dim, length: Dim): Tensor => {
  const place = iota(addDims(past, length));
  const own = slice(place, 0, { start: past });
  const isLater = greater(rearrange(place, 't -> 1 1 1 t'), rearrange(own, 's -> 1 1 s 1'));
  return where(isLater, FLOAT_MIN, 0);
};
