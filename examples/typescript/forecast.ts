/** A forecast with intervals by a running daemon; errors say what to do. `tollama serve` runs one. */
import { TollamaClient, TollamaError } from 'tollama';

const client = new TollamaClient(
  process.env.TOLLAMA_BASE_URL ? { baseUrl: process.env.TOLLAMA_BASE_URL } : {},
);

const day = (i: number): string => new Date(Date.UTC(2024, 0, 1 + i)).toISOString().slice(0, 10);
const length = 90;

const { model, forecasts } = await client.forecast({
  model: 'auto',
  horizon: 7,
  quantiles: [0.1, 0.5, 0.9],
  series: [
    {
      id: 'sales',
      freq: 'D',
      timestamps: Array.from({ length }, (_, i) => day(i)),
      target: Array.from({ length }, (_, i) => 100 + i / 3 + (i % 7 > 4 ? 40 : 0)),
    },
  ],
});
for (const { id, mean, quantiles } of forecasts) {
  console.log(`${id} by ${model}`);
  mean.forEach((value, step) => {
    const [low, high] = [quantiles?.['0.1']?.[step], quantiles?.['0.9']?.[step]];
    console.log(day(length + step), value.toFixed(1), `${low?.toFixed(1)} to ${high?.toFixed(1)}`);
  });
}

try {
  await client.forecast({
    model: 'no-such-model',
    horizon: 1,
    series: [{ id: 'a', timestamps: ['2024-01-01'], target: [1] }],
  });
} catch (error) {
  if (!(error instanceof TollamaError)) throw error;
  console.log(error.code, error.message, error.hint);
}
