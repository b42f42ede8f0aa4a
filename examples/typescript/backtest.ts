/** Models held against seasonal naive on the ends of your own series, without a daemon. */
import { adapterForecaster, backtest } from 'tollama/evaluation';
import { ModelPool } from 'tollama/session';

const target = Float64Array.from(
  { length: 400 },
  (_, i) => 50 + i / 20 + 8 * Math.sin((Math.PI * i) / 12),
);
const names = ['auto', 'theta'];

await using pool = new ModelPool({ adapters: names, allowLazyLoadOnMiss: true });
const forecasters = await Promise.all(
  names.map(async (name) => adapterForecaster(await pool.acquire(name))),
);
const { rows } = await backtest([{ id: 'load', freq: 'h', target }], forecasters, {
  horizon: 24,
  windows: 3,
});
for (const { model, metrics, skill } of rows) {
  console.log(
    model,
    metrics['MASE[0.5]'].toFixed(3),
    `${(100 * skill.mase).toFixed(0)} % below naive`,
  );
}
