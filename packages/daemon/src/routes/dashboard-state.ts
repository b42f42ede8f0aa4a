/** What a dashboard needs to begin with, in one answer; a part that fails is a warning, not an error. */
import { Hono } from 'hono';

const SOURCES = ['info', 'ps', 'usage'] as const;
type Source = (typeof SOURCES)[number];

export interface StateWarning {
  readonly source: Source;
  readonly status_code: number;
  readonly detail: string;
}

/** Asks a route of the daemon itself, with the caller's credentials. */
export type AskRoute = (
  path: string,
  headers: Readonly<Record<string, string>>,
) => Response | Promise<Response>;

interface Part {
  readonly value: unknown;
  readonly warning: StateWarning | undefined;
}

const detailOf = (body: unknown): string => {
  const { detail } = (body ?? {}) as { detail?: unknown };
  if (detail === undefined) return 'the answer is not readable';
  return typeof detail === 'string' ? detail : JSON.stringify(detail);
};

const readPart = async (source: Source, answer: Response): Promise<Part> => {
  const body: unknown = await answer.json().catch(() => undefined);
  const isObject = typeof body === 'object' && body !== null;
  if (answer.ok && isObject) return { value: body, warning: undefined };
  const status_code = answer.ok ? 502 : answer.status;
  return { value: null, warning: { source, status_code, detail: detailOf(body) } };
};

export const dashboardStateRoutes = (ask: AskRoute): Hono =>
  new Hono().get('/api/dashboard/state', async (c) => {
    const authorization = c.req.header('authorization');
    const headers = authorization === undefined ? {} : { authorization };
    const [info, ps, usage] = await Promise.all(
      SOURCES.map(async (source) => readPart(source, await ask(`/api/${source}`, headers))),
    );
    return c.json({
      info: info!.value,
      ps: ps!.value,
      usage: usage!.value,
      warnings: [info, ps, usage].flatMap((part) => part!.warning ?? []),
    });
  });
