/**
 * What a queue of jobs is, whatever keeps it. Jobs are known by an id that their maker chooses; asking twice for
 * the same id asks once. Whoever takes a job holds a lease: it must be renewed, and a job whose lease ran out is
 * given to the next who asks.
 */

export type JobState = 'waiting' | 'active' | 'finished' | 'failed' | 'cancelled';

export const JOB_STATES: readonly JobState[] = [
  'waiting',
  'active',
  'finished',
  'failed',
  'cancelled',
];

/** Plain JSON. Large data stay outside; a payload names them by their hash. */
export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [name: string]: Json };

export interface JobRequest {
  /** Letters, digits, `-`, `_` and `.`; at least one that is no digit. */
  readonly id: string;
  readonly payload: Json;
  /** How often the job may fail before it has failed; 3 when not given. */
  readonly attempts?: number;
}

/** Why a job failed, as an error's code, message and hint. */
export interface JobFailure {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

export interface JobRecord {
  readonly id: string;
  readonly state: JobState;
  readonly payload: Json;
  readonly progress: Json;
  /** null until the job is finished. */
  readonly result: Json;
  /** Of the latest failure; null where there was none. */
  readonly failure: JobFailure | null;
}

export interface Lease {
  readonly id: string;
  readonly payload: Json;
  /** Tells this holder from all others. */
  readonly token: string;
}

/** What a holder learns when it reports: go on, stop since nobody wants it, or stop since another has it. */
export type Standing = 'held' | 'cancelled' | 'lost';

export interface JobQueue extends AsyncDisposable {
  readonly kind: 'journal' | 'redis';
  /** Adds a job, unless one of its id is known; tells the state in which it is then. */
  enqueue(job: JobRequest): Promise<JobState>;
  /** Takes the oldest job that waits, or one whose holder let its lease run out; undefined where there is none. */
  lease(): Promise<Lease | undefined>;
  /** Renews the lease and, unless undefined, stores how far the job is. */
  progress(lease: Lease, progress?: Json): Promise<Standing>;
  /** Stores the result. False when the lease is lost or the job was cancelled: the result is then not kept. */
  finish(lease: Lease, result: Json): Promise<boolean>;
  /** Gives the job back to be tried again, as long as it has attempts and `isFinal` is not set. */
  fail(lease: Lease, failure: JobFailure, isFinal?: boolean): Promise<boolean>;
  /** What is known of a job; undefined where nothing is. */
  result(id: string): Promise<JobRecord | undefined>;
  /** False when the job is over already, or unknown. */
  cancel(id: string): Promise<boolean>;
  /** Lets a failed or cancelled job wait again, with all its attempts. False in any other state. */
  retry(id: string): Promise<boolean>;
  /** Forgets a job. */
  remove(id: string): Promise<void>;
  counts(): Promise<Readonly<Record<JobState, number>>>;
}

/** What both kinds of queue are told. */
export interface QueueOptions {
  /** Jobs of one kind: workers take from one name. */
  readonly name: string;
  /** A lease lasts that long unless it is renewed. */
  readonly leaseMs?: number | undefined;
  /** A job that lost its holder more often has failed with WORKER_LOST: it may be what kills them. */
  readonly mostLosses?: number | undefined;
  /** Jobs that are over are known that long. */
  readonly keepMs?: number | undefined;
}

export const DEFAULT_LEASE_MS = 30_000;
export const DEFAULT_ATTEMPTS = 3;
export const DEFAULT_LOSSES = 3;
export const DEFAULT_KEEP_MS = 24 * 60 * 60 * 1000;

export const WORKER_LOST = 'WORKER_LOST';

/** What is said of a job that lost its holder too often. */
export const workerLost = (): JobFailure => ({
  code: WORKER_LOST,
  message: 'the workers that took the job were lost, each time',
  hint: 'look why the workers ended: their memory, or the data of this job',
});
