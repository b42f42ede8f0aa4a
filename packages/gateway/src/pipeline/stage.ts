import { inSpan } from '@tollama/telemetry';

/** A stage answers by itself, or calls the next one and may change what comes back. */
export type Stage<Context, Result> = (
  context: Context,
  next: () => Promise<Result>,
) => Promise<Result>;

/** The stage in a span of its own, with all that follows it, where the request is traced. */
export const traced = <Context, Result>(
  name: string,
  stage: Stage<Context, Result>,
): Stage<Context, Result> => {
  return (context, next) => inSpan(name, {}, () => stage(context, next));
};

/** Stages in their order; the last one must answer. */
export const chain =
  <Context, Result>(...stages: readonly Stage<Context, Result>[]) =>
  (context: Context): Promise<Result> => {
    const from = (index: number): Promise<Result> => stages[index]!(context, () => from(index + 1));
    return from(0);
  };
