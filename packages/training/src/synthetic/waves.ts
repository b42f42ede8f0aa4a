/** Sums of sines by rotation: two multiplications a point instead of a sine. */

/** Points after which the rotation is set again, so that roundings do not add up. */
const RENEWED = 256;

/** sum[t] += a cos(frequency t) + b sin(frequency t); frequency in radians a step. */
export const addWave = (sum: Float64Array, frequency: number, a: number, b: number): void => {
  const turnCos = Math.cos(frequency);
  const turnSin = Math.sin(frequency);
  let cos = 1;
  let sin = 0;
  for (let t = 0; t < sum.length; t++) {
    if (t % RENEWED === 0) {
      cos = Math.cos(frequency * t);
      sin = Math.sin(frequency * t);
    }
    sum[t]! += a * cos + b * sin;
    const next = cos * turnCos - sin * turnSin;
    sin = sin * turnCos + cos * turnSin;
    cos = next;
  }
};

/** sum[t] += envelope a[t] cos + b[t] sin. */
export const addModulatedWave = (
  sum: Float64Array,
  frequency: number,
  a: Float64Array,
  b: Float64Array,
): void => {
  for (let t = 0; t < sum.length; t++) {
    sum[t]! += a[t]! * Math.cos(frequency * t) + b[t]! * Math.sin(frequency * t);
  }
};
