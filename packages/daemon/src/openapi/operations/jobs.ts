/** Trainings, and runs of `tollama batch`. */
import {
  BatchRuns,
  StoppedBatch,
  StoppedTraining,
  TrainingEvent,
  TrainingJobs,
} from '@tollama/core/answers/jobs';
import { BatchRun } from '@tollama/core/batch-run';
import { JobState, TrainBody } from '@tollama/core/training-job';
import { z } from 'zod';
import { body, events, json, type Operation, operationsOf, query } from '../operation.ts';

const training = operationsOf('training');
const batches = operationsOf('batches');

const missing = { errors: ['NOT_FOUND'] } as const;
const Flag = z.enum(['true', 'false']).default('false');
const EventNumber = z.int().min(0).default(0);

export const TRAINING: readonly Operation[] = [
  training.post('/api/train', 'startTraining', 'Train a model; the job waits for its turn', {
    ...body('TrainBody', TrainBody),
    ...json(JobState),
    status: 202,
    errors: ['MODEL_NOT_FOUND', 'MODEL_UNSUPPORTED', 'MODEL_EXISTS', 'INVALID_INPUT', 'FORBIDDEN'],
  }),
  training.get(
    '/api/train',
    'listTrainings',
    'All trainings, the newest first',
    json(TrainingJobs),
  ),
  training.get('/api/train/:id', 'getTraining', 'One training', { ...json(JobState), ...missing }),
  training.get(
    '/api/train/:id/events',
    'trainingEvents',
    'What a training tells, as events, until it ends',
    {
      parameters: {
        after: query('number of the last event that is known', EventNumber),
        'last-event-id': {
          in: 'header',
          description: 'the same, as browsers send it; goes before `after`',
          schema: z.int().min(0),
        },
      },
      ...events(TrainingEvent),
      ...missing,
    },
  ),
  training.post(
    '/api/train/:id/resume',
    'resumeTraining',
    'Let a stopped or halted training go on',
    { ...json(JobState), errors: ['INVALID_REQUEST', 'NOT_FOUND'] },
  ),
  training.remove(
    '/api/train/:id',
    'stopTraining',
    'End a training after the step under way; its state is kept',
    {
      parameters: {
        purge: query('true deletes a training that does not run, with its checkpoints', Flag),
      },
      ...json(StoppedTraining),
      errors: ['INVALID_REQUEST', 'NOT_FOUND', 'BUSY'],
    },
  ),
];

export const BATCHES: readonly Operation[] = [
  batches.get('/api/batches', 'listBatches', 'All runs that are known, the latest first', {
    ...json(BatchRuns),
  }),
  batches.get('/api/batches/:id', 'getBatch', 'One run', { ...json(BatchRun), ...missing }),
  batches.remove(
    '/api/batches/:id',
    'stopBatch',
    'Ask a run to stop; the same command goes on with it',
    {
      parameters: { purge: query('true forgets a run that is over; its output stays', Flag) },
      ...json(StoppedBatch),
      errors: ['INVALID_REQUEST', 'NOT_FOUND', 'BUSY'],
    },
  ),
];
