/** One seed for all property tests of a run: a new one each time, printed in CI, set by PROPERTY_SEED to repeat a run. */
import fc from 'fast-check';

const { PROPERTY_SEED } = process.env;
if (PROPERTY_SEED !== undefined) fc.configureGlobal({ seed: Number(PROPERTY_SEED) });
