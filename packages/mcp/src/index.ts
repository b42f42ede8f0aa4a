export type { DatasetEntry, DatasetSource, McpContext } from './context.ts';
export { createMcpHttp, MCP_PATH, type McpHttp, type McpHttpOptions } from './http.ts';
export { RunStore } from './run-store.ts';
export { type McpHttpServer, type ServeHttpOptions, serveOverHttp } from './serve-http.ts';
export { serveOverStdio } from './stdio.ts';
