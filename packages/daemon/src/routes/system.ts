/** Health and version. */
import { VERSION } from '@tollama/core/version';
import { Hono } from 'hono';

export const systemRoutes = (): Hono =>
  new Hono()
    .get('/', (c) => c.text('tollama is running'))
    .get('/v1/health', (c) => c.json({ status: 'ok' }))
    .get('/health/live', (c) => c.json({ status: 'ok' }))
    .get('/api/version', (c) => c.json({ version: VERSION }));
