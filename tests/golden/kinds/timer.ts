import { compare } from '../compare.ts';
import { thumlKind } from './thuml.ts';

interface Expected {
  readonly point: readonly number[][];
}

/** Point forecasts. */
export const timer = thumlKind<Expected>({
  compareForecast: (forecast, expected, i, tolerance) => [
    compare(`series ${i}`, forecast.mean, expected.point[i], tolerance),
  ],
  probes: { head: 'head0' },
});
