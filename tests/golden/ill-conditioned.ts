/**
 * Golden cases that hang on the rounding of the machine that made them: perturbations of one float32 ulp
 * move their outputs by more than their tolerance. `npm run golden` holds them to their tolerance like
 * any other and shows by how much they miss it; the tests hold them to `SLACK` times that.
 *
 * Numbers are errors of the reference itself against the golden values, as a share of the tolerance.
 */
export const ILL_CONDITIONED: ReadonlySet<string> = new Set([
  'granite-ttm/r2-base/rollout', // 4.1 in float64, 0.5 in float32 on another machine
  'granite-ttm/r2-ft/rollout', // 2.3 in float64, 3.4 in float32 on another machine
  'granite-ttm/r3-dec/pipeline-scaled', // 2.3 in float64, 1.9 in float32 on another machine
  'granite-ttm/r3-plain/pipeline-scaled', // 0.95 in float64, 0.92 in float32 on another machine
]);

export const SLACK = 10;
