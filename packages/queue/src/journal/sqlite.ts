import { TollamaError } from '@tollama/core/errors';

/**
 * Node's own SQLite, loaded where it is used, so that programs without jobs start without it.
 *
 * @param remedy what to do on a Node without it, beside taking a newer one
 * @throws TollamaError DEPENDENCY_MISSING before Node 22.13
 */
export const loadSqlite = async (remedy: string): Promise<typeof import('node:sqlite')> => {
  try {
    return await import('node:sqlite');
  } catch (cause) {
    throw new TollamaError('DEPENDENCY_MISSING', `Node ${process.versions.node} has no SQLite`, {
      hint: `use Node 22.13 or newer${remedy}`,
      cause,
    });
  }
};
