/** Limits of a model by its metadata, which has had several names for them. */

type Metadata = Readonly<Record<string, unknown>> | null | undefined;

const firstNumber = (metadata: Metadata, names: readonly string[]): number | undefined => {
  const found = names.map((name) => metadata?.[name]).find((value) => typeof value === 'number');
  return found as number | undefined;
};

/** Steps that the model is made for; undefined: any. */
export const horizonLimit = (metadata: Metadata): number | undefined =>
  firstNumber(metadata, ['max_horizon', 'prediction_length']);

/** Points of history that it reads; undefined: all. */
export const contextLimit = (metadata: Metadata): number | undefined =>
  firstNumber(metadata, ['max_context', 'context_length', 'default_context_length']);

/** Series of one request that it takes; undefined: any number. */
export const seriesLimit = (metadata: Metadata): number | undefined =>
  firstNumber(metadata, ['input_series_limit', 'max_input_series']);
