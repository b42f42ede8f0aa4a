/**
 * Golden cases that hang on the rounding of the machine that made them. `npm run golden` holds them to
 * their tolerance like any other and shows by how much they miss it; the tests hold them to `SLACK`
 * times that.
 *
 * Found with the reference itself, granite-tsfm 0.3.11 on torch 2.13.0, as shares of the tolerance: how
 * far its float64 lies from the golden values, its float32 on another machine, and how far its float64
 * moves when the inputs move by one float32 ulp.
 */
export const ILL_CONDITIONED: ReadonlySet<string> = new Set([
  'granite-ttm/r2-base/rollout', // 4.1, 0.5, moves by 2 to 9
  'granite-ttm/r2-ft/rollout', // 2.3, 3.4, moves by 2 to 11
  'granite-ttm/r3-dec/pipeline-scaled', // 2.3, 1.9, moves by 0.1 to 1.1
  'granite-ttm/r3-plain/pipeline-scaled', // 0.95, 0.9, moves by 0.2: no room for rounding of our own
]);

export const SLACK = 10;
