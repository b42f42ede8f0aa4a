/** What crashes leave behind, taken away at start and by `prune`: half-written files and folders without a manifest. */
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { modelOfFolder } from '@tollama/core/model-name';
import type { Home } from './home.ts';

export interface Leftover {
  readonly path: string;
  readonly bytes: number;
}

const bytesOf = async (path: string): Promise<number> => {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isDirectory()) return found?.size ?? 0;
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const sizes = await Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map((entry) =>
        stat(join(entry.parentPath, entry.name)).then(
          ({ size }) => size,
          () => 0,
        ),
      ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
};

/** Names of files that are written beside their place before they take it. */
const isPartial = (name: string): boolean => /\.tmp$|\.partial(-[\w]+)?$/.test(name);

const inFolder = async (folder: string): Promise<string[]> => readdir(folder).catch(() => []);

/** Everything in the state folder that no model owns; models that are `changing` are left alone. */
export const findLeftovers = async (
  home: Home,
  changing: readonly string[] = [],
): Promise<readonly Leftover[]> => {
  const paths: string[] = [];
  for (const name of await inFolder(home.path))
    if (isPartial(name)) paths.push(join(home.path, name));
  for (const name of await inFolder(home.licenses))
    if (isPartial(name)) paths.push(join(home.licenses, name));
  for (const name of await inFolder(home.models)) {
    if (changing.includes(modelOfFolder(name))) continue;
    const { folder, graphs } = home.model(name);
    const names = await inFolder(folder);
    if (!names.includes('manifest.json')) {
      paths.push(folder);
      continue;
    }
    for (const inner of names) if (isPartial(inner)) paths.push(join(folder, inner));
    for (const inner of await inFolder(graphs))
      if (isPartial(inner)) paths.push(join(graphs, inner));
  }
  return Promise.all(paths.map(async (path) => ({ path, bytes: await bytesOf(path) })));
};

/** Takes the leftovers away and tells what they were. */
export const removeLeftovers = async (home: Home): Promise<readonly Leftover[]> => {
  const leftovers = await findLeftovers(home);
  for (const { path } of leftovers) await rm(path, { recursive: true, force: true });
  return leftovers;
};
