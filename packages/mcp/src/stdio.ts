/** MCP over the standard streams of this process; nothing else may write to stdout. */
import { StdioServerTransport, serveStdio } from '@modelcontextprotocol/server/stdio';
import type { McpContext } from './context.ts';
import { LIMITS } from './limits.ts';
import { createMcpServer } from './server.ts';

/** Serves until the client closes its end or the signal is aborted. */
export const serveOverStdio = (
  context: McpContext,
  { signal, onError }: { signal: AbortSignal; onError: (error: Error) => void },
): Promise<void> =>
  new Promise((resolve) => {
    const { stdin, stdout } = process;
    const transport = new StdioServerTransport(stdin, stdout, {
      maxBufferSize: LIMITS.messageBytes,
    });
    const handle = serveStdio(() => createMcpServer(context), { transport, onerror: onError });
    const stop = (): void => void handle.close().finally(resolve);
    stdin.once('end', stop);
    stdin.once('close', stop);
    signal.addEventListener('abort', stop, { once: true });
  });
