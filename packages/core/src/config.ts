/** config.json of the state folder (daemon contract, section 8). */
import { z } from 'zod';

const Text = z.string().nullish();

export const ConfigFile = z.strictObject({
  version: z.literal(1).default(1),
  pull: z
    .strictObject({
      hf_home: Text,
      offline: z.boolean().nullish(),
      local_files_only: z.boolean().nullish(),
      insecure: z.boolean().nullish(),
      http_proxy: Text,
      https_proxy: Text,
      no_proxy: Text,
      max_workers: z.int().positive().nullish(),
    })
    .prefault({}),
  daemon: z
    .strictObject({
      host: Text,
      auto_bootstrap: z.boolean().default(true),
      runner_commands: z.record(z.string().min(1), z.array(z.string().min(1)).min(1)).default({}),
    })
    .prefault({}),
  auth: z.strictObject({ api_keys: z.array(z.string().min(1)).default([]) }).prefault({}),
  routing: z.strictObject({ default: Text, fast_path: Text, high_accuracy: Text }).prefault({}),
});
export type Config = z.infer<typeof ConfigFile>;

export const EMPTY_CONFIG: Config = Object.freeze(ConfigFile.parse({}));
