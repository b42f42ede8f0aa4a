import { lowerMedianOfPaths } from '@tollama/models/sample-paths';
import { compare } from '../compare.ts';
import { thumlKind } from './thuml.ts';

interface Expected {
  readonly samples: readonly number[][][];
  readonly median: readonly number[][];
  readonly mean: readonly number[][];
}

/** Sample paths from given noise, their median and mean. */
export const sundial = thumlKind<Expected>({
  compareForecast: (forecast, expected, i, tolerance) => {
    const samples = forecast.samples as readonly Float32Array[];
    return [
      compare(`series ${i} samples`, samples, expected.samples[i], tolerance),
      compare(`series ${i} median`, lowerMedianOfPaths(samples), expected.median[i], tolerance),
      compare(`series ${i} mean`, forecast.mean, expected.mean[i], tolerance),
    ];
  },
});
