import { join } from 'node:path';
import { modelFolderName } from '@tollama/core/model-name';

/** The state folder's layout (daemon contract, section 4). */
export interface Home {
  readonly path: string;
  readonly config: string;
  readonly models: string;
  readonly licenses: string;
  /** Forecast profiles, one YAML file each. */
  readonly modelfiles: string;
  /** A folder for each training job. */
  readonly training: string;
  /** Jobs of the TimeGPT API: a journal, and what they read and gave. */
  readonly jobs: string;
  /** Records of fine-tuned models, one JSON file each. */
  readonly tuned: string;
  /** SQLite; counts of forecasts by API key. */
  readonly usage: string;
  /** Everything of one model; goes when the model is removed. */
  model(name: string): ModelPaths;
}

export interface ModelPaths {
  readonly folder: string;
  readonly manifest: string;
  /** Files of models that are not in the hub's cache. */
  readonly snapshot: string;
  /** A trained adapter. */
  readonly adapter: string;
  /** Graph files and links to the weights, made by runners. */
  readonly graphs: string;
}

export const openHome = (path: string): Home => {
  const models = join(path, 'models');
  return {
    path,
    config: join(path, 'config.json'),
    models,
    licenses: join(path, 'licenses'),
    modelfiles: join(path, 'modelfiles'),
    training: join(path, 'training'),
    jobs: join(path, 'jobs'),
    tuned: join(path, 'tuned'),
    usage: join(path, 'usage.db'),
    model: (name) => {
      const folder = join(models, modelFolderName(name));
      return {
        folder,
        manifest: join(folder, 'manifest.json'),
        snapshot: join(folder, 'snapshot'),
        adapter: join(folder, 'adapter'),
        graphs: join(folder, 'graphs'),
      };
    },
  };
};
