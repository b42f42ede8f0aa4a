/** What the daemon answers, as schemas. They describe; nobody parses an answer with them while the daemon runs. */
import type { z } from 'zod';
import type { Forecast, ForecastResponse } from '../forecast-response.ts';
import type { Series } from '../series.ts';

/** Forecasts and series go on as they are to whatever takes them. */
type Kept = Forecast | ForecastResponse | Series;

export type DeepReadonly<T> = T extends Kept
  ? T
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T;

/** The type of an answer, which belongs to nobody and is not changed. */
export type Answer<S extends z.ZodType> = DeepReadonly<z.output<S>>;
