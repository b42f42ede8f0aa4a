/** Series themselves: what they are like, and new ones like them. */
import { AnalyzeRequest, GenerateRequest } from '@tollama/core/series-requests';
import { Hono } from 'hono';
import type { DaemonContext } from '../context.ts';
import { generateSeries } from '../generate/generate.ts';
import { readBody } from '../http/json-body.ts';
import type { RequestVariables } from '../http/request-id.ts';
import { analyze } from '../report/analysis.ts';

export const seriesRoutes = (context: DaemonContext): Hono<RequestVariables> => {
  const { settings, events } = context;
  return new Hono<RequestVariables>()
    .post('/api/analyze', async (c) => {
      const request = await readBody(c, AnalyzeRequest, settings.maxBodyBytes);
      const answer = analyze(request);
      const keyId = c.get('keyId');
      const series_count = answer.results.length;
      events.publish(keyId, 'analysis.complete', { series_count, response: answer });
      for (const { id, anomaly_indices: indices } of answer.results) {
        if (indices.length === 0) continue;
        const found = { series_id: id, anomaly_count: indices.length, indices };
        events.publish(keyId, 'anomaly.detected', found);
      }
      return c.json(answer);
    })
    .post('/api/generate', async (c) =>
      c.json(generateSeries(await readBody(c, GenerateRequest, settings.maxBodyBytes))),
    );
};
