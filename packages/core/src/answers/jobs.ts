/** Answers about work that goes on for long: trainings, and runs of `tollama batch`. */
import { z } from 'zod';
import { BatchRun } from '../batch-run.ts';
import { JobState, TrainingEventLine } from '../training-job.ts';

/** What DELETE answers with ?purge=true. */
export const DeletedJob = z.object({ deleted: z.literal(true), id: z.string() });

export const TrainingJobs = z.object({ jobs: z.array(JobState) });

export const StoppedTraining = z.union([JobState, DeletedJob]);

/** Data of an event of a training; of the last one, `end`, the job. */
export const TrainingEvent = z.union([TrainingEventLine, JobState]);

export const BatchRuns = z.object({ batches: z.array(BatchRun) });

export const StoppedBatch = z.union([BatchRun, DeletedJob]);
