/** What the published package lets other programs import, and the modules it comes from. */

/** Subpath of `tollama`, '.' for the package itself, and the module of the sources behind it. */
export const PUBLIC_ENTRIES = {
  '.': 'packages/client/src/index.ts',
  './client': 'packages/client/src/index.ts',
  './session': 'packages/session/src/index.ts',
  './evaluation': 'packages/evaluation/src/index.ts',
  './models': 'packages/models/src/index.ts',
  './training': 'packages/training/src/index.ts',
  './gateway': 'packages/gateway/src/index.ts',
  './mcp': 'packages/mcp/src/index.ts',
  './batch': 'packages/batch/src/index.ts',
  './queue': 'packages/queue/src/index.ts',
  './graph': 'packages/graph/src/index.ts',
  './web': 'packages/models/src/open-web-model.ts',
} as const;

export type PublicEntry = keyof typeof PUBLIC_ENTRIES;

/** For pages: a bundle of its own, without Node. */
export const WEB_ENTRY: PublicEntry = './web';

/** What its file is called in the bundle: './session' is session, '.' is client. */
export const chunkOf = (entry: string): string => entry.slice('./'.length) || 'client';
