/** Models that come with the program and have weights: they are there without a download. */
import { join } from 'node:path';
import type { NanoModelName } from '@tollama/core/statistical';
import type { Outcome, Task } from '../family.ts';
import { type OpenModel, openModel } from '../open-model.ts';
import type { CandidateSeasons } from '../statistical/index.ts';
import { nanoAuto } from './nano-auto.ts';

export { nanoAuto } from './nano-auto.ts';

/** Folder of the weights of tollama-nano. */
export const NANO_FOLDER = join(import.meta.dirname, '..', '..', 'pretrained', 'tollama-nano');

export interface BoxedModel extends AsyncDisposable {
  forecast(task: Task): Promise<Outcome>;
}

/** A model in the box by its name; its weights are read when it first forecasts. */
export const openBoxed = (
  name: NanoModelName,
  { threads, candidates }: { readonly threads: number; readonly candidates: CandidateSeasons },
): BoxedModel => {
  let opened: Promise<OpenModel> | undefined;
  const nano = async (task: Task): Promise<Outcome> => {
    opened ??= openModel(NANO_FOLDER, { threads });
    return (await opened).forecast(task);
  };
  return {
    forecast: name === 'tollama-nano' ? nano : nanoAuto(nano, candidates),
    async [Symbol.asyncDispose]() {
      const model = await opened?.catch(() => undefined);
      opened = undefined;
      await model?.[Symbol.asyncDispose]();
    },
  };
};
