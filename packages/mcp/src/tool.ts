/** A tool: schemas both ways, a handler, and the sentence that goes along with the structured answer. */
import type {
  CallToolResult,
  McpServer,
  ServerContext,
  ToolAnnotations,
} from '@modelcontextprotocol/server';
import { toTollamaError } from '@tollama/core/errors';
import type { z } from 'zod';
import type { McpContext } from './context.ts';
import { type Progress, progressOf } from './progress.ts';

export interface Call {
  readonly context: McpContext;
  /** Aborted when the client takes the call back or goes away. */
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

export interface Tool<Input extends z.ZodType, Output extends z.ZodType> {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly input: Input;
  readonly output: Output;
  readonly annotations: ToolAnnotations;
  run(input: z.output<Input>, call: Call): Promise<z.input<Output>>;
  /** What the answer says, for hosts that show text only. */
  summarize(output: z.output<Output>): string;
}

/** Reads only, and only what is on this machine. */
export const READS: ToolAnnotations = {
  readOnlyHint: true,
  destructiveHint: false,
  idempotentHint: true,
  openWorldHint: false,
};

/** What failed, and what to do next, as the model reads it. */
export const failure = (thrown: unknown): CallToolResult => {
  const { code, message, hint } = toTollamaError(thrown);
  const text = hint ? `${code}: ${message}\nHint: ${hint}` : `${code}: ${message}`;
  return { isError: true, content: [{ type: 'text', text }] };
};

export const registerTool = <Input extends z.ZodType, Output extends z.ZodType>(
  server: McpServer,
  context: McpContext,
  tool: Tool<Input, Output>,
): void => {
  const { name, title, description, input, output, annotations } = tool;
  const handle = async (args: unknown, request: ServerContext): Promise<CallToolResult> => {
    using progress = progressOf(request);
    try {
      const call = { context, signal: request.mcpReq.signal, progress };
      // What the schema does not promise is left out: clients refuse it.
      const answer = output.parse(await tool.run(args as z.output<Input>, call));
      const text = tool.summarize(answer);
      const structuredContent = answer as Record<string, unknown>;
      return { content: [{ type: 'text', text }], structuredContent };
    } catch (error) {
      return failure(error);
    }
  };
  const config = { title, description, inputSchema: input, outputSchema: output, annotations };
  server.registerTool<Output, z.ZodType>(name, config, handle);
};
