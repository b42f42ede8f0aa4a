import type { McpServer } from '@modelcontextprotocol/server';
import type { McpContext } from '../context.ts';
import { registerTool } from '../tool.ts';
import { backtest } from './backtest.ts';
import { compareModels } from './compare-models.ts';
import { describeSeries } from './describe-series.ts';
import { detectAnomalies } from './detect-anomalies.ts';
import { forecast } from './forecast.ts';
import { listModels } from './list-models.ts';
import { pullModel } from './pull-model.ts';

export const registerTools = (server: McpServer, context: McpContext): void => {
  registerTool(server, context, listModels);
  registerTool(server, context, pullModel);
  registerTool(server, context, describeSeries);
  registerTool(server, context, forecast);
  registerTool(server, context, backtest);
  registerTool(server, context, compareModels);
  registerTool(server, context, detectAnomalies);
};
