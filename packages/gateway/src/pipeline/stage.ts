/** A stage answers by itself, or calls the next one and may change what comes back. */
export type Stage<Context, Result> = (
  context: Context,
  next: () => Promise<Result>,
) => Promise<Result>;

/** Stages in their order; the last one must answer. */
export const chain =
  <Context, Result>(...stages: readonly Stage<Context, Result>[]) =>
  (context: Context): Promise<Result> => {
    const from = (index: number): Promise<Result> => stages[index]!(context, () => from(index + 1));
    return from(0);
  };
