/** One run at a time in an output folder. The lock is the operating system's: it goes with its process. */
import { TollamaError } from '@tollama/core/errors';
import { loadSqlite } from '@tollama/queue/journal/sqlite';

const lock = async (path: string) => {
  const { DatabaseSync } = await loadSqlite('');
  const database = new DatabaseSync(path, { timeout: 0 });
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    return database;
  } catch {
    database.close();
    return undefined;
  }
};

/** Throws BUSY when another process holds it. */
export const lockRun = async (path: string, output: string): Promise<Disposable> => {
  const held = await lock(path);
  if (!held) {
    throw new TollamaError('BUSY', `another batch writes to ${output}`, {
      hint: `wait for it (\`tollama batch status ${output}\`), or use another --output`,
    });
  }
  return { [Symbol.dispose]: () => held.close() };
};

/** Whether a process works on the run. */
export const isRunLocked = async (path: string): Promise<boolean> => {
  const held = await lock(path);
  held?.close();
  return held === undefined;
};
