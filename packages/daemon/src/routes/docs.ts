/** What the daemon offers: for machines and for people. */
import { Hono } from 'hono';

/** Made when somebody asks: few do, and the page costs memory. */
const load = async () => {
  const [{ openApiDocument }, { docsPage }] = await Promise.all([
    import('../openapi/document.ts'),
    import('../openapi/page.ts'),
  ]);
  const document = openApiDocument();
  return { json: JSON.stringify(document), page: docsPage(document) };
};

export const docsRoutes = (): Hono => {
  let loaded: ReturnType<typeof load> | undefined;
  const made = (): ReturnType<typeof load> => {
    loaded ??= load();
    return loaded;
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
