/** The tables of a journal. All times are milliseconds since 1970. */
export const SCHEMA = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  PRAGMA busy_timeout = 20000;
  CREATE TABLE IF NOT EXISTS job (
    place INTEGER PRIMARY KEY AUTOINCREMENT,
    queue TEXT NOT NULL,
    id TEXT NOT NULL,
    state TEXT NOT NULL,
    payload TEXT NOT NULL,
    progress TEXT NOT NULL DEFAULT 'null',
    result TEXT NOT NULL DEFAULT 'null',
    failure TEXT NOT NULL DEFAULT 'null',
    attempts INTEGER NOT NULL,
    failures INTEGER NOT NULL DEFAULT 0,
    losses INTEGER NOT NULL DEFAULT 0,
    token TEXT,
    lease_until REAL,
    ended_at REAL,
    UNIQUE (queue, id)
  ) STRICT;
  CREATE INDEX IF NOT EXISTS job_state ON job (queue, state, place);
`;

export interface JobRow {
  readonly place: number;
  readonly id: string;
  readonly state: string;
  readonly payload: string;
  readonly progress: string;
  readonly result: string;
  readonly failure: string;
  readonly losses: number;
}
