/** Runs of `tollama batch` on this machine: look, stop, forget. */
import {
  forgetBatchRun,
  getBatchRun,
  listBatchRuns,
  stopBatchRun,
} from '@tollama/queue/batch-runs';
import { Hono } from 'hono';
import type { DaemonContext } from '../context.ts';

export const batchRoutes = ({ home: { path } }: Pick<DaemonContext, 'home'>): Hono =>
  new Hono()
    .get('/api/batches', async (c) => c.json({ batches: await listBatchRuns(path) }))
    .get('/api/batches/:id', async (c) => c.json(await getBatchRun(path, c.req.param('id'))))
    .delete('/api/batches/:id', async (c) => {
      const id = c.req.param('id');
      if (c.req.query('purge') !== 'true') return c.json(await stopBatchRun(path, id));
      await forgetBatchRun(path, id);
      return c.json({ deleted: true, id });
    });
