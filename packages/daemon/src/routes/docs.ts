/** What the daemon offers: for machines and for people. */
import type { Settings } from '@tollama/core/settings';
import { Hono } from 'hono';
import type { ConfigFile } from '../config-file.ts';
import type { Access } from '../openapi/document.ts';

/** Made when somebody asks: few do, and the page costs memory. */
const load = async (access: Access) => {
  const [{ openApiDocument }, { docsPage }] = await Promise.all([
    import('../openapi/document.ts'),
    import('../openapi/page.ts'),
  ]);
  const document = openApiDocument(access);
  return { json: JSON.stringify(document), page: docsPage(document) };
};

const openPages = ({ docsPublic, dashboard, dashboardRequireAuth }: Settings): Access['open'] => [
  ...(docsPublic ? (['docs'] as const) : []),
  ...(dashboard && !dashboardRequireAuth ? (['dashboard'] as const) : []),
];

export const docsRoutes = (settings: Settings, config: Pick<ConfigFile, 'apiKeys'>): Hono => {
  const open = openPages(settings);
  const loaded = new Map<boolean, ReturnType<typeof load>>();
  /** Keys come and go while the daemon runs. */
  const made = async (): ReturnType<typeof load> => {
    const hasKeys = (await config.apiKeys()).length > 0;
    const known = loaded.get(hasKeys) ?? load({ hasKeys, open });
    loaded.set(hasKeys, known);
    return known;
  };
  const page = async (): Promise<Response> =>
    new Response((await made()).page, {
      headers: {
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
      },
    });
  return new Hono()
    .get('/openapi.json', async () => {
      const headers = { 'content-type': 'application/json' };
      return new Response((await made()).json, { headers });
    })
    .get('/docs', page)
    .get('/redoc', page);
};
