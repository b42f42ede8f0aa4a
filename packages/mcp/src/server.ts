/** The Model Context Protocol server: its tools, resources and prompts put together. */
import { McpServer } from '@modelcontextprotocol/server';
import { VERSION } from '@tollama/core/version';
import type { McpContext } from './context.ts';
import { LIMITS } from './limits.ts';
import { registerPrompts } from './prompts.ts';
import { registerDatasetResources } from './resources/datasets.ts';
import { registerModelResources } from './resources/models.ts';
import { registerRunResources } from './resources/runs.ts';
import { registerTools } from './tools/index.ts';

const INSTRUCTIONS = `Forecasts of time series by foundation models and classical ones, computed on this machine.
Start with describe_series; compare_models tells which model suits the data; forecast gives means and quantiles.
The model "auto" is always there. Others are pulled first, which the user should agree to.`;

/** A server for one connection; `context` may be shared by many. */
export const createMcpServer = (context: McpContext): McpServer => {
  const server = new McpServer(
    { name: 'tollama', title: 'tollama', version: VERSION },
    // Each point of a series is one element, and its timestamp another one.
    { instructions: INSTRUCTIONS, maxToolInputElements: 10 * LIMITS.points },
  );
  registerTools(server, context);
  registerModelResources(server, context);
  registerRunResources(server, context);
  if (context.datasets) registerDatasetResources(server, context.datasets);
  registerPrompts(server, context);
  return server;
};
