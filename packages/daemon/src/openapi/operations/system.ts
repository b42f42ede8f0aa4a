/** The daemon itself. */
import {
  DashboardState,
  Health,
  InfoResponse,
  Readiness,
  UsageResponse,
  VersionResponse,
} from '@tollama/core/answers/daemon';
import { z } from 'zod';
import { EVENT_NAMES } from '../../events/event-bus.ts';
import { ErrorBody } from '../errors.ts';
import * as example from '../examples.ts';
import { events, json, type Operation, operationsOf, place, query } from '../operation.ts';

const { get } = operationsOf('system');

/** What happened, for the caller's own key. */
export const EventRecord = z.object({
  event_id: z.string(),
  sequence: z.int().describe('counts all events of the daemon, from 1'),
  timestamp: z.string(),
  event: z.enum(EVENT_NAMES),
  data: z.record(z.string(), z.unknown()),
});

/** Data of an event of `/api/events`; of the event `error`, the error. */
export const DaemonEvent = z.union([EventRecord, ErrorBody]);

/** This document. */
export const OpenApiDocument = z.looseObject({ openapi: z.string() });

const page = { answer: { 'text/html': null } } as const;
const notBuilt = { otherErrors: { 503: 'a page that says how to build the dashboard' } } as const;
const names = 'names with commas between; with those of';

export const SYSTEM: readonly Operation[] = [
  get('/', 'root', 'Says that the daemon runs', { answer: { 'text/plain': null } }),
  get('/v1/health', 'health', 'Whether the daemon answers', {
    ...json(Health),
    example: example.HEALTH,
  }),
  get('/health/live', 'liveness', 'Whether the daemon answers', json(Health)),
  get('/health/ready', 'readiness', 'Whether runners and disk are well', json(Readiness)),
  get('/api/version', 'version', 'Version', {
    ...json(VersionResponse),
    example: example.VERSION_ANSWER,
  }),
  get('/api/info', 'info', 'Settings, models and runners', json(InfoResponse)),
  get('/api/usage', 'usage', "What the caller's key has used", json(UsageResponse)),
  get('/api/events', 'listenToEvents', 'What happens, as events', {
    parameters: {
      event: query(
        'name of an event; may be repeated; all when absent',
        z.array(z.enum(EVENT_NAMES)),
      ),
      events: query(`${names} \`event\``, z.string()),
      heartbeat: query(
        'seconds after which a silent stream shows life',
        z.number().positive().default(15),
      ),
      max_events: query('events after which the stream ends', z.int().positive()),
    },
    ...events(DaemonEvent),
    errors: ['INVALID_REQUEST'],
  }),
  get('/dashboard', 'dashboard', 'The dashboard', {
    ...page,
    ...notBuilt,
    openBy: 'dashboard',
  }),
  get('/dashboard/:path', 'dashboardFile', 'Its files', {
    parameters: { path: place('path of a file', z.string()) },
    answer: { '*/*': null },
    openBy: 'dashboard',
    errors: ['NOT_FOUND'],
    ...notBuilt,
  }),
  get('/api/dashboard/state', 'dashboardState', 'What the dashboard shows first', {
    ...json(DashboardState),
  }),
  get('/metrics', 'metrics', 'Metrics for Prometheus', { answer: { 'text/plain': null } }),
  get('/openapi.json', 'openApi', 'This document', { ...json(OpenApiDocument), openBy: 'docs' }),
  get('/docs', 'docs', 'This document for people', { ...page, openBy: 'docs' }),
  get('/redoc', 'redoc', 'The same as /docs', { ...page, openBy: 'docs', isDeprecated: true }),
];
