/** The thread that writes and reads checkpoints, so that training waits for no disk and no hash. */
import { parentPort } from 'node:worker_threads';
import { toTollamaError } from '@tollama/core/errors';
import type { CheckpointReply, CheckpointTask } from './checkpoint-thread.ts';
import { buffersOf } from './contents.ts';
import { sha256Of } from './manifest.ts';
import { readCheckpoint } from './read-checkpoint.ts';
import { writeCheckpoint } from './write-checkpoint.ts';

const port = parentPort!;

const answer = async (task: CheckpointTask): Promise<void> => {
  const { id } = task;
  try {
    if (task.kind === 'write') {
      port.postMessage({ id, written: await writeCheckpoint(task.task) } satisfies CheckpointReply);
      return;
    }
    if (task.kind === 'hash') {
      port.postMessage({
        id,
        sha256: sha256Of(new Uint8Array(task.bytes)),
      } satisfies CheckpointReply);
      return;
    }
    const flag = new Int32Array(task.abort);
    const read = await readCheckpoint(task.path, { isAborted: () => Atomics.load(flag, 0) !== 0 });
    port.postMessage({ id, read } satisfies CheckpointReply, buffersOf(read));
  } catch (thrown) {
    const { code, message } = toTollamaError(thrown);
    port.postMessage({ id, error: { code, message } } satisfies CheckpointReply);
  }
};

port.on('message', (task: CheckpointTask) => void answer(task));
