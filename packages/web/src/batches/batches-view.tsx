/** Runs of `tollama batch` on the daemon's machine. */
import { useEffect } from 'preact/hooks';
import { startPoll } from '../daemon/poll.ts';
import { ProblemNote } from '../ui/problem-note.tsx';
import { useStore } from '../ui/store.ts';
import { BatchCard } from './batch-card.tsx';
import { batchRuns, readBatches } from './batch-runs.ts';

const INTERVAL_MS = 1000;

const Empty = () => (
  <section class="card" aria-label="Batches">
    <div class="card-body">
      <p>No batch yet. Start one in a terminal:</p>
      <p class="mono">tollama batch panel.parquet --horizon 28 --output forecasts</p>
    </div>
  </section>
);

export const BatchesView = () => {
  const { batches, problem } = useStore(batchRuns);
  useEffect(() => {
    const poll = startPoll(readBatches, INTERVAL_MS);
    return () => poll.stop();
  }, []);
  return (
    <>
      {problem && <ProblemNote title="The batches could not be read" problem={problem} />}
      {batches?.length === 0 && <Empty />}
      {batches?.map((run) => (
        <BatchCard key={run.id} run={run} />
      ))}
    </>
  );
};
