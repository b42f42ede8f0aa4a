/** Prompts that a person picks: forecast this, explain this forecast. */
import {
  completable,
  type GetPromptResult,
  type McpServer,
  ProtocolError,
  ProtocolErrorCode,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import { addressOf, nameIn } from './addresses.ts';
import type { McpContext } from './context.ts';

const asked = (...texts: readonly string[]): GetPromptResult['messages'] =>
  texts.map((text) => ({ role: 'user', content: { type: 'text', text } }));

const FORECAST_STEPS = `Forecast this with the tollama tools:
1. Call describe_series; tell me in a sentence or two what the data are like, and what is wrong with them if anything is.
2. Call compare_models with "auto" and the installed models that suit the data (list_models tells which). Say plainly if none beats seasonal-naive.
3. Call forecast with the best model and quantiles 0.1, 0.5 and 0.9.
4. Give the forecast as a short table with its 80% interval, what it rests on, and what could make it wrong.
Pull no model and accept no licence without asking me first. Invent no numbers: every figure comes from a tool.`;

const EXPLAIN_STEPS = `Explain this forecast to somebody who has to decide by it: what is expected, how sure that is (from the quantiles), what in the history it rests on, which warnings came along, and what would be a sign that it goes wrong. Use only the numbers of the forecast; if the history is needed, ask me for it.`;

const registerForecastPrompt = (server: McpServer, { datasets }: McpContext): void => {
  const datasetNames = async (start: string | undefined): Promise<string[]> =>
    ((await datasets?.list()) ?? [])
      .map(({ name }) => name)
      .filter((name) => name.startsWith(start ?? ''));
  const argsSchema = z.object({
    data: z.string().optional().describe('the data: values, a table, or where they are'),
    dataset: completable(
      z.string().optional().describe('name of a dataset that this server offers'),
      datasetNames,
    ),
    horizon: z.string().optional().describe('how far ahead, such as 12 or "the next quarter"'),
  });
  const config = {
    title: 'Forecast this',
    description: 'From data to a forecast that is held against a simple one',
    argsSchema,
  };
  server.registerPrompt('forecast_this', config, ({ data, dataset, horizon }) => {
    const facts = [
      FORECAST_STEPS,
      ...(horizon ? [`Horizon: ${horizon}`] : []),
      ...(dataset ? [`Dataset: ${addressOf('dataset', nameIn('dataset', dataset))}`] : []),
      ...(data ? [`Data:\n${data}`] : []),
      ...(data || dataset
        ? []
        : ['The data are what I gave you before; ask me if there are none.']),
    ];
    return { messages: asked(facts.join('\n\n')) };
  });
};

const registerExplainPrompt = (server: McpServer, { runs }: McpContext): void => {
  const argsSchema = z.object({
    run: completable(
      z.string().optional().describe('id or run:// address; the latest forecast when absent'),
      (start) => runs.list().flatMap(({ id }) => (id.startsWith(start ?? '') ? [id] : [])),
    ),
  });
  const config = {
    title: 'Explain this forecast',
    description: 'What a forecast says, how sure it is, and what it rests on',
    argsSchema,
  };
  server.registerPrompt('explain_forecast', config, ({ run: wanted }) => {
    const run = wanted ? runs.find(nameIn('run', wanted)) : runs.list()[0];
    if (!run) {
      const what = wanted ? `forecast '${wanted}' is not kept` : 'no forecast was made yet';
      const message = `${what}; call the forecast tool first`;
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, message);
    }
    const resource = {
      uri: addressOf('run', run.id),
      mimeType: 'application/json',
      text: JSON.stringify(run),
    };
    return {
      messages: [
        ...asked(EXPLAIN_STEPS),
        { role: 'user', content: { type: 'resource', resource } },
      ],
    };
  });
};

export const registerPrompts = (server: McpServer, context: McpContext): void => {
  registerForecastPrompt(server, context);
  registerExplainPrompt(server, context);
};
