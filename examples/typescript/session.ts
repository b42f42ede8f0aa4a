/** Rows in, forecast rows out, with the checks and the way back to simpler models that an agent wants. */
import { ModelPool, TSAgentSession } from 'tollama/session';

const rows = ['north', 'south'].flatMap((unique_id, region) =>
  Array.from({ length: 120 }, (_, i) => ({
    unique_id,
    ds: new Date(Date.UTC(2024, 0, 1 + i)).toISOString().slice(0, 10),
    y: 20 * (region + 1) + (i % 7) + i / 30,
  })),
);

await using pool = new ModelPool({ adapters: ['auto'], preload: true });
await pool.ready;
const session = new TSAgentSession({ pool });
const { forecast } = await session.run(rows, { h: 14, freq: 'D' });
console.log(`${forecast.length} rows`);
console.table(forecast.slice(0, 3));
