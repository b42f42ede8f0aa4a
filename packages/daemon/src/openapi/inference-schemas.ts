/** Bodies and answers of the Open Inference Protocol and of KServe's time series. */
import { z } from 'zod';
import { DATATYPES } from '../open-inference/tensor.ts';

const Shape = z.array(z.int());
const Parameters = z.record(z.string(), z.unknown());

const TensorPlan = z.object({
  name: z.string(),
  datatype: z.enum(DATATYPES),
  shape: Shape.describe('-1 where any length will do'),
});

const RequestTensor = z.object({
  name: z.string(),
  datatype: z.enum(DATATYPES),
  shape: Shape,
  data: z.array(z.unknown()).optional().describe('nested or flat; absent where the bytes follow'),
  parameters: Parameters.optional().describe('binary_data_size: bytes after the JSON'),
});

/** Tensors and what is wanted; with the binary extension the tensors' bytes follow the JSON. */
export const InferRequest = z.object({
  id: z.string().optional(),
  inputs: z.array(RequestTensor),
  outputs: z.array(z.object({ name: z.string(), parameters: Parameters.optional() })).optional(),
  parameters: Parameters.optional().describe('freq, timeout in microseconds, binary_data_output'),
});

export const RepositoryIndexBody = z.object({
  ready: z.boolean().optional().describe('only models that can be asked'),
});

export const RepositoryBody = z.object({ parameters: Parameters.optional() });

export const InferResponse = z.object({
  id: z.string().optional(),
  model_name: z.string(),
  model_version: z.string(),
  outputs: z.array(
    z.object({
      name: z.string(),
      datatype: z.enum(DATATYPES),
      shape: Shape,
      data: z.array(z.unknown()).optional(),
      parameters: Parameters.optional(),
    }),
  ),
});

export const ServerMetadata = z.object({
  name: z.string(),
  version: z.string(),
  extensions: z.array(z.string()),
});

export const ServerLive = z.object({ live: z.boolean() });
export const ServerReady = z.object({ ready: z.boolean() });
export const ModelReady = z.object({ name: z.string(), ready: z.literal(true) });

export const ModelMetadata = z.object({
  name: z.string(),
  versions: z.array(z.string()),
  platform: z.string(),
  inputs: z.array(TensorPlan),
  outputs: z.array(TensorPlan),
  parameters: z.object({
    freq_free: z.boolean(),
    max_context: z.int().optional(),
    max_horizon: z.int().optional(),
  }),
});

const CONFIGURED = { name: z.string(), data_type: z.string(), dims: Shape } as const;

export const ModelConfig = z.object({
  name: z.string(),
  platform: z.string(),
  backend: z.string(),
  version_policy: z.object({ latest: z.object({ num_versions: z.int() }) }),
  max_batch_size: z.int(),
  input: z.array(z.object({ ...CONFIGURED, optional: z.boolean() })),
  output: z.array(z.object(CONFIGURED)),
  instance_group: z.array(z.object({ name: z.string(), kind: z.string(), count: z.int() })),
  parameters: z.record(z.string(), z.object({ string_value: z.string() })),
});

const Sum = z.object({ count: z.int(), ns: z.int() });

export const ModelStatistics = z.object({
  name: z.string(),
  version: z.string(),
  last_inference: z.int().describe('milliseconds since 1970; 0: never'),
  inference_count: z.int(),
  execution_count: z.int(),
  inference_stats: z.object({
    success: Sum,
    fail: Sum,
    queue: Sum,
    compute_input: Sum,
    compute_infer: Sum,
    compute_output: Sum,
    cache_hit: Sum,
    cache_miss: Sum,
  }),
  batch_stats: z.array(z.unknown()),
});

export const StatisticsResponse = z.object({ model_stats: z.array(ModelStatistics) });

export const RepositoryIndex = z.array(
  z.object({
    name: z.string(),
    version: z.string(),
    state: z.enum(['READY', 'LOADING', 'UNLOADING', 'UNAVAILABLE']),
    reason: z.string(),
  }),
);

export const LoadedByRepository = z.object({ name: z.string(), load: z.literal(true) });
export const UnloadedByRepository = z.object({ name: z.string(), unload: z.literal(true) });

export const ModelNames = z.array(z.string());

/** Values by step; of a multivariate series a list for each step. */
const Path = z.union([z.array(z.number()), z.array(z.array(z.number()))]);

const TimeSeriesForecast = z.object({
  type: z.enum(['univariate_time_series', 'multivariate_time_series']),
  name: z.string(),
  mean_forecast: Path,
  frequency: z.string(),
  start_timestamp: z.string(),
  quantiles: z.record(z.string(), Path).optional(),
});

export const TimeSeriesResponse = z.object({
  id: z.string(),
  created_at: z.int().describe('seconds since 1970'),
  status: z.literal('completed'),
  error: z.null(),
  model: z.string(),
  outputs: z.array(
    z.object({
      type: z.literal('time_series_forecast'),
      id: z.string(),
      status: z.literal('completed'),
      content: z.array(TimeSeriesForecast),
      error: z.null(),
    }),
  ),
  usage: z.object({
    prompt_tokens: z.int(),
    completion_tokens: z.int(),
    total_tokens: z.int(),
  }),
});
