/** Forecasts under other circumstances: changed data, no intervention, branching paths. */
import {
  CounterfactualRequest,
  ScenarioTreeRequest,
  WhatIfRequest,
} from '@tollama/core/forecast-variants';
import { Hono } from 'hono';
import type { DaemonContext } from '../context.ts';
import { callerOf } from '../forecast/serve-forecast.ts';
import { readBody } from '../http/json-body.ts';
import type { RequestVariables } from '../http/request-id.ts';
import { counterfactual } from '../scenarios/counterfactual.ts';
import { scenarioTree } from '../scenarios/scenario-tree.ts';
import { whatIf } from '../scenarios/what-if.ts';

export const scenarioRoutes = (context: DaemonContext): Hono<RequestVariables> => {
  const { maxBodyBytes } = context.settings;
  return new Hono<RequestVariables>()
    .post('/api/what-if', async (c) =>
      c.json(await whatIf(await readBody(c, WhatIfRequest, maxBodyBytes), context, callerOf(c))),
    )
    .post('/api/counterfactual', async (c) => {
      const request = await readBody(c, CounterfactualRequest, maxBodyBytes);
      return c.json(await counterfactual(request, context, callerOf(c)));
    })
    .post('/api/scenario-tree', async (c) => {
      const request = await readBody(c, ScenarioTreeRequest, maxBodyBytes);
      return c.json(await scenarioTree(request, context, callerOf(c)));
    });
};
