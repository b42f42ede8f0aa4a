/** What was tuned: one small file each beside the models, by the id that clients use. */
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { TollamaError } from '@tollama/core/errors';
import { z } from 'zod';
import { writeJson } from '../store/write-file.ts';
import { TunedId } from './requests.ts';

export const TunedModel = z.object({
  id: TunedId,
  created_at: z.string(),
  created_by: z.string(),
  /** The tuned model that it goes on from, or the model's own name. */
  base_model_id: z.string(),
  steps: z.int(),
  depth: z.int(),
  loss: z.string(),
  model: z.string(),
  freq: z.string(),
  /** Name of the installed model that forecasts. */
  installed_as: z.string(),
  /** The job that made it. */
  job_id: z.string().optional(),
});
export type TunedModel = z.infer<typeof TunedModel>;

export const unknownTunedModel = (): TollamaError =>
  new TollamaError('NOT_FOUND', 'Finetuned model not found');

export class TunedModels {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  #path(id: string): string {
    return join(this.#folder, `${id}.json`);
  }

  async find(id: string): Promise<TunedModel | undefined> {
    if (!TunedId.safeParse(id).success) return undefined;
    const text = await readFile(this.#path(id), 'utf8').catch(() => undefined);
    return text === undefined ? undefined : TunedModel.parse(JSON.parse(text));
  }

  /** @throws TollamaError NOT_FOUND */
  async get(id: string): Promise<TunedModel> {
    const found = await this.find(id);
    if (!found) throw unknownTunedModel();
    return found;
  }

  /** Oldest first. */
  async list(): Promise<readonly TunedModel[]> {
    const names = await readdir(this.#folder).catch(() => []);
    const ids = names.filter((name) => name.endsWith('.json')).map((name) => name.slice(0, -5));
    const found = await Promise.all(ids.map((id) => this.find(id)));
    return found
      .filter((model) => model !== undefined)
      .toSorted((a, b) => (a.created_at < b.created_at ? -1 : 1));
  }

  write(model: TunedModel): Promise<void> {
    return writeJson(this.#path(model.id), model);
  }

  async remove(id: string): Promise<void> {
    await rm(this.#path(id), { force: true });
  }
}
