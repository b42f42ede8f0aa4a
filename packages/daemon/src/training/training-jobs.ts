/** The training jobs of a daemon: one runs at a time, the others wait; each has a folder that outlives the daemon. */
import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { TollamaError, toTollamaError } from '@tollama/core/errors';
import {
  JOB_SCHEMA,
  JobConfig,
  JobResult,
  type JobSeries,
  JobState,
  type JobStatus,
  type TrainingEventLine,
} from '@tollama/core/training-job';
import type { Activity } from '../activity.ts';
import type { Logger } from '../log.ts';
import { writeJson } from '../store/write-file.ts';
import { type InstallContext, installTrained } from './install-trained.ts';
import { JobEvents, progressAfter } from './job-events.ts';
import { TrainingProcess } from './training-process.ts';

interface Job {
  readonly folder: string;
  readonly events: JobEvents;
  state: JobState;
  process: TrainingProcess | undefined;
  /** Asked to stop, perhaps before its process was there. */
  isStopping: boolean;
}

export interface NewJob {
  readonly name: string;
  readonly base: JobConfig['base'];
  readonly architecture: JobConfig['architecture'];
  readonly options: JobConfig['options'];
  readonly series: JobSeries;
}

export interface TrainingJobsOptions extends InstallContext {
  readonly log: Logger;
  /** A daemon that trains is not idle. */
  readonly activity: Activity;
  readonly command: () => readonly string[];
}

const ENDED: ReadonlySet<JobStatus> = new Set(['finished', 'early_stopped', 'failed']);
const RANDOM_BYTES = 3;

const newId = (now: Date): string => {
  const stamp = now.toISOString().replaceAll(/[-:]/g, '').slice(0, 15);
  return `${stamp}-${randomBytes(RANDOM_BYTES).toString('hex')}`;
};

const readJson = async (path: string): Promise<unknown> => {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

export class TrainingJobs implements AsyncDisposable {
  readonly #options: TrainingJobsOptions;
  readonly #jobs = new Map<string, Job>();
  readonly #ending = new Set<Promise<void>>();
  #loading: Promise<void> | undefined;
  #isClosed = false;

  constructor(options: TrainingJobsOptions) {
    this.#options = options;
  }

  /** All jobs, the newest first. */
  async list(): Promise<readonly JobState[]> {
    await this.#load();
    const states = [...this.#jobs.values()].map(({ state }) => state);
    return states.toSorted((a, b) => (a.created_at < b.created_at ? 1 : -1));
  }

  /** @throws TollamaError NOT_FOUND */
  async get(id: string): Promise<JobState> {
    return (await this.#find(id)).state;
  }

  /** Writes a job's folder and runs it when its turn comes. */
  async create({ name, base, architecture, options, series }: NewJob): Promise<JobState> {
    await this.#load();
    const now = new Date();
    const id = newId(now);
    const folder = join(this.#options.home.training, id);
    await mkdir(folder, { recursive: true });
    const config: JobConfig = { schema: JOB_SCHEMA, id, name, base, architecture, options };
    await writeJson(join(folder, 'series.json'), series);
    await writeJson(join(folder, 'job.json'), config);
    const state: JobState = {
      id,
      name,
      model: base?.model ?? null,
      adapter: base ? options.adapter : 'from-scratch',
      status: 'queued',
      created_at: now.toISOString(),
      started_at: null,
      ended_at: null,
      progress: null,
      result: null,
    };
    const job: Job = {
      folder,
      events: new JobEvents(join(folder, 'events.jsonl')),
      state,
      process: undefined,
      isStopping: false,
    };
    this.#jobs.set(id, job);
    await this.#save(job);
    this.#startNext();
    return job.state;
  }

  /** Events past a number, until the job's process ends. @throws TollamaError NOT_FOUND */
  async events(
    id: string,
  ): Promise<(after: number, signal: AbortSignal) => AsyncGenerator<TrainingEventLine>> {
    const job = await this.#find(id);
    const isLive = job.state.status === 'running' || job.state.status === 'queued';
    return (after, signal) => job.events.since(after, isLive, signal);
  }

  /** Waits until a job no longer runs or waits for its turn. @throws TollamaError NOT_FOUND */
  async ended(id: string): Promise<void> {
    const since = await this.events(id);
    const never = new AbortController().signal;
    for await (const _ of since(Number.MAX_SAFE_INTEGER, never));
    const { process } = await this.#find(id);
    await process?.ended;
  }

  /** Ends a job after the step under way; it can go on later. */
  async cancel(id: string): Promise<JobState> {
    const job = await this.#find(id);
    const { status } = job.state;
    if (status === 'running') {
      job.isStopping = true;
      job.process?.stop();
    }
    if (status === 'queued') {
      await this.#become(job, { status: 'stopped' });
      job.events.end();
    }
    if (status !== 'running' && status !== 'queued') {
      throw new TollamaError('INVALID_REQUEST', `training '${id}' is ${status}, not running`, {
        hint: '`tollama train list` shows the others',
      });
    }
    return job.state;
  }

  /** Deletes a job that does not run, with its checkpoints; the model that came out stays. */
  async purge(id: string): Promise<void> {
    const job = await this.#find(id);
    if (job.state.status === 'running') {
      throw new TollamaError('BUSY', `training '${id}' is running`, { hint: 'stop it first' });
    }
    this.#jobs.delete(id);
    await rm(job.folder, { recursive: true, force: true });
  }

  /** Lets a stopped or halted job go on from its latest checkpoint. */
  async resume(id: string): Promise<JobState> {
    const job = await this.#find(id);
    const { status } = job.state;
    if (ENDED.has(status) && status !== 'failed') {
      throw new TollamaError('INVALID_REQUEST', `training '${id}' is ${status}`, {
        hint: 'start another one with more --steps',
      });
    }
    if (status === 'running' || status === 'queued') return job.state;
    await this.#become(job, { status: 'queued', ended_at: null, result: null });
    this.#startNext();
    return job.state;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    for (const { process } of this.#jobs.values()) process?.stop();
    await Promise.all(this.#ending);
  }

  async #find(id: string): Promise<Job> {
    await this.#load();
    const job = this.#jobs.get(id);
    if (job) return job;
    throw new TollamaError('NOT_FOUND', `there is no training '${id}'`, {
      hint: '`tollama train list` shows them',
    });
  }

  /** Jobs of earlier daemons; one that was running then was cut off. */
  #load(): Promise<void> {
    this.#loading ??= this.#readFolders();
    return this.#loading;
  }

  async #readFolders(): Promise<void> {
    const { home } = this.#options;
    for (const id of await readdir(home.training).catch(() => [])) {
      const folder = join(home.training, id);
      const parsed = JobState.safeParse(await readJson(join(folder, 'status.json')));
      if (!parsed.success) continue;
      const wasCut = parsed.data.status === 'running' || parsed.data.status === 'queued';
      const state: JobState = wasCut ? { ...parsed.data, status: 'stopped' } : parsed.data;
      const events = new JobEvents(join(folder, 'events.jsonl'));
      this.#jobs.set(id, { folder, events, state, process: undefined, isStopping: false });
    }
  }

  #startNext(): void {
    const jobs = [...this.#jobs.values()];
    if (this.#isClosed || jobs.some(({ state }) => state.status === 'running')) return;
    const next = jobs
      .filter(({ state }) => state.status === 'queued')
      .toSorted((a, b) => (a.state.created_at < b.state.created_at ? -1 : 1))[0];
    if (!next) return;
    next.isStopping = false;
    next.events.reopen();
    next.state = { ...next.state, status: 'running', started_at: new Date().toISOString() };
    this.#options.activity.begin();
    const running = this.#run(next).finally(() => {
      this.#options.activity.end();
      this.#ending.delete(running);
      this.#startNext();
    });
    this.#ending.add(running);
  }

  async #run(job: Job): Promise<void> {
    try {
      await this.#save(job);
      await job.events.begin();
      job.process = new TrainingProcess({
        command: this.#options.command(),
        folder: job.folder,
        onEvent: (event) => {
          job.state = { ...job.state, progress: progressAfter(job.state.progress, event) };
          job.events.push(event);
        },
      });
      // Closed or stopped while it was being prepared.
      if (this.#isClosed || job.isStopping) job.process.stop();
      await job.process.ended;
      await this.#finish(job, job.process.stderrTail);
    } catch (thrown) {
      await this.#fail(job, thrown);
    } finally {
      job.process = undefined;
      job.events.end();
    }
  }

  async #finish(job: Job, stderr: string): Promise<void> {
    const parsed = JobResult.safeParse(await readJson(join(job.folder, 'result.json')));
    if (!parsed.success) {
      const why = stderr.trim().split('\n').at(-1) || 'it was ended from outside';
      throw new TollamaError('RUNNER_UNAVAILABLE', `the training process died: ${why}`, {
        hint: `tollama train resume ${job.state.id} goes on from its latest checkpoint`,
      });
    }
    const result = parsed.data;
    if (result.output) {
      const config = JobConfig.parse(await readJson(join(job.folder, 'job.json')));
      await installTrained(config, result, this.#options);
    }
    await this.#become(job, { status: result.end, result, ended_at: new Date().toISOString() });
  }

  async #fail(job: Job, thrown: unknown): Promise<void> {
    const { code, message, hint } = toTollamaError(thrown);
    this.#options.log.warn({ job: job.state.id, error: message }, 'training failed');
    const { progress } = job.state;
    const result: JobResult = {
      end: 'failed',
      step: progress?.step ?? 0,
      epoch: progress?.epoch ?? 0,
      best: null,
      before: null,
      after: null,
      trained_parameters: 0,
      output: null,
      error: { code, message, ...(hint !== undefined && { hint }) },
    };
    await this.#become(job, { status: 'failed', result, ended_at: new Date().toISOString() });
  }

  async #become(job: Job, change: Partial<JobState>): Promise<void> {
    job.state = { ...job.state, ...change };
    await this.#save(job);
  }

  #save({ folder, state }: Job): Promise<void> {
    return writeJson(join(folder, 'status.json'), state);
  }
}
