/** Models that are tuned for one request and go with it; those of a daemon that was killed are left. */
import { randomUUID } from 'node:crypto';
import type { DaemonContext } from '../context.ts';

const PREFIX = 'tuned-for-one-request-';

export const temporaryName = (): string => `${PREFIX}${randomUUID()}`;

const isTemporary = ({ name }: { readonly name: string }): boolean => name.startsWith(PREFIX);

/**
 * Removes what requests of an earlier daemon left: models, and the trainings that were to make them. To be called
 * before requests are taken.
 *
 * @returns their names
 */
export const removeTemporaryModels = async ({
  store,
  training,
}: Pick<DaemonContext, 'store' | 'training'>): Promise<readonly string[]> => {
  const jobs = (await training.list()).filter(isTemporary);
  for (const { id } of jobs) await training.purge(id);
  const models = (await store.list()).filter(isTemporary);
  for (const { name } of models) await store.remove(name);
  return [...new Set([...jobs, ...models].map(({ name }) => name))];
};
