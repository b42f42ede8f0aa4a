export { isErrorCode, TollamaError } from '@tollama/core/errors';
export type * from './analyses.ts';
export * from './client.ts';
export type { ServerEvent } from './streams.ts';
export type { CallOptions, ClientOptions } from './transport.ts';
export type * from './types.ts';
