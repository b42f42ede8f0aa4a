/**
 * Timer: a decoder over patches of the series, as a language model is one over words. Each pass reads the
 * tokens so far and gives the points of the next one.
 *
 * Paper        Liu et al., "Timer: Generative Pre-trained Transformers Are Large Time Series Models",
 *              ICML 2024
 * Reference    modeling_timer.py and ts_generation_mixin.py of the checkpoint (Apache-2.0)
 * Checkpoints  thuml/timer-base-84m (Apache-2.0)
 */
import { NO_COVARIATES } from '@tollama/core/capabilities';
import { TollamaError } from '@tollama/core/errors';
import {
  add,
  defineGraph,
  dimOf,
  type Graph,
  input,
  slice,
  subtractDims,
  symbol,
  type Tensor,
  type TensorValue,
  type Weights,
} from '@tollama/graph';
import { z } from 'zod';
import { defineFamily, type Outcome, type Probe, type RunGraph, type Task } from '../family.ts';
import { filledRows } from '../fill-missing.ts';
import { ACTIVATION_NAMES } from '../nn/activation.ts';
import { linear } from '../nn/linear.ts';
import {
  gatedFeedForward,
  HEADS_DIVIDE,
  headsDivide,
  type LayerMemory,
  layerNorm,
  memoryInputs,
  type Positions,
  positions,
  rotaryAttention,
} from '../nn/timer-layers.ts';
import { readOptions } from '../read-options.ts';

const count = z.int().positive();

/** Defaults are those of the reference's class, which are not those of the published checkpoint. */
const Config = z
  .object({
    model_type: z.literal('timer'),
    input_token_len: count.default(1),
    hidden_size: count.default(1024),
    intermediate_size: count.default(2048),
    output_token_lens: z.array(count).min(1).default([1, 8, 32, 64]),
    num_hidden_layers: count.default(8),
    num_attention_heads: count.default(8),
    hidden_act: z.enum(ACTIVATION_NAMES).default('silu'),
    use_cache: z.boolean().default(true),
  })
  .refine(headsDivide, HEADS_DIVIDE);
type Config = z.infer<typeof Config>;

/** The longest context of the paper. */
const CONTEXT_LENGTH = 2880;

const options = (c: Config) =>
  z.object({
    /** Whether each pass standardises what it reads; false where the caller did so. */
    revin: z.boolean().default(true),
    /** Whether later passes read the new points only, as the reference does, or the whole series again. */
    use_cache: z.boolean().default(c.use_cache),
    /** Points of history to read. */
    context_length: z.int().positive().default(CONTEXT_LENGTH),
  });
type Options = z.infer<ReturnType<typeof options>>;

/** Normalised after each of its two steps. x [b, s, d] -> [b, s, d] */
const layer = (
  x: Tensor,
  w: Weights,
  c: Config,
  at: Positions,
  past: LayerMemory,
  probe: Probe,
) => {
  const { output, memory } = rotaryAttention(x, w.at('self_attn'), c, at, past);
  const y = layerNorm(add(x, probe('self_attn_out', output)), w.at('norm1'));
  const z = add(y, gatedFeedForward(y, w.at('ffn_layer'), c));
  return { x: layerNorm(z, w.at('norm2')), memory };
};

/**
 * tokens [batch, tokens, P] after the past tokens of memory `key.i`, `value.i` [batch, past, d]
 * -> a forecast `points.j` [batch, O] by each head, and the longer memory `next.key.i`, `next.value.i`
 */
const forward = (c: Config, w: Weights, probe: Probe): Graph => {
  const [batch, past] = [symbol('batch'), symbol('past')];
  const tokens = input('tokens', [batch, 'tokens', c.input_token_len]);
  const memory = memoryInputs(batch, past, c);
  const at = positions(past, dimOf(tokens, 1), c);

  const outputs: Record<string, Tensor> = {};
  let x = linear(tokens, w.at('model.embed_layer.emb'), c.hidden_size, { bias: false });
  probe('after_embed', x);
  memory.forEach((known, i) => {
    const inner: Probe = (name, tensor) => probe(`layer${i}_${name}`, tensor);
    const done = layer(x, w.at(`model.layers.${i}`), c, at, known, inner);
    x = probe(`after_layer${i}`, done.x);
    outputs[`next.key.${i}`] = done.memory.key;
    outputs[`next.value.${i}`] = done.memory.value;
  });
  const hidden = probe('hidden', layerNorm(x, w.at('model.norm')));
  const length = dimOf(hidden, 1);
  const last = slice(hidden, 1, { start: subtractDims(length, 1), end: length });
  c.output_token_lens.forEach((size, j) => {
    const head = w.at(`lm_heads.${j}`);
    probe(`head${j}`, linear(hidden, head, size, { bias: false }));
    outputs[`points.${j}`] = linear(last, head, size, { bias: false });
  });
  return defineGraph(
    'timer',
    [tokens, ...memory.flatMap(({ key, value }) => [key, value])],
    outputs,
  );
};

// ---- around the graph: plain arrays --------------------------------------------------------------

/** Keys and values by the names of the graph's inputs, and of how many tokens they are. */
interface Memory {
  readonly tokens: number;
  readonly values: Readonly<Record<string, TensorValue>>;
}

const emptyMemory = (rows: number, c: Config): Memory => {
  const none = {
    dtype: 'float32',
    dims: [rows, 0, c.hidden_size],
    data: new Float32Array(),
  } as const;
  const names = Array.from({ length: c.num_hidden_layers }, (_, i) => [`key.${i}`, `value.${i}`]);
  return { tokens: 0, values: Object.fromEntries(names.flat().map((name) => [name, none])) };
};

/** Mean and deviation with the divisor n - 1; a constant row has the deviation 0, and no forecast. */
const standardOf = (row: Float32Array): { mean: number; deviation: number } => {
  let sum = 0;
  // Of equal float32 numbers the sum is exact, and so is the mean: their deviation is 0, not rounding.
  for (const value of row) sum += value;
  const mean = sum / row.length;
  let squares = 0;
  for (const value of row) squares += (value - mean) ** 2;
  return { mean, deviation: Math.sqrt(squares / (row.length - 1)) };
};

const NEUTRAL = { mean: 0, deviation: 1 };

/**
 * The place of the head for what remains: the reference goes through the lengths from the second on while
 * they do not exceed it, and takes the last of them, or the first. Of equal lengths the last has the name.
 */
const headFor = (remaining: number, { output_token_lens: sizes }: Config): number => {
  const [first, ...more] = sizes as [number, ...number[]];
  const end = more.findIndex((size) => size > remaining);
  const within = end < 0 ? more : more.slice(0, end);
  return sizes.lastIndexOf(within.at(-1) ?? first);
};

interface Pass {
  readonly points: readonly Float32Array[];
  readonly memory: Memory;
}

/** Reads the rows, all of one length, after the memory's tokens, and forecasts with one of the heads. */
const onePass = async (
  run: RunGraph,
  rows: readonly Float32Array[],
  c: Config,
  { memory, head, revin, keep }: { memory: Memory; head: number; revin: boolean; keep: boolean },
): Promise<Pass> => {
  const { input_token_len: size, output_token_lens } = c;
  const count = Math.floor(rows[0]!.length / size);
  const standards = rows.map((row) => (revin ? standardOf(row) : NEUTRAL));
  const data = new Float32Array(rows.length * count * size);
  rows.forEach((row, b) => {
    const { mean, deviation } = standards[b]!;
    for (let i = 0; i < count * size; i++)
      data[b * count * size + i] = (row[i]! - mean) / deviation;
  });
  const tokens = { dtype: 'float32', dims: [rows.length, count, size], data } as const;
  const memories = keep ? Object.keys(memory.values) : [];
  const points = `points.${head}`;
  const results = await run('forward', { tokens, ...memory.values }, [
    points,
    ...memories.map((name) => `next.${name}`),
  ]);
  const width = output_token_lens[head]!;
  const flat = results[points]!.data as Float32Array;
  return {
    points: standards.map(({ mean, deviation }, b) =>
      flat.slice(b * width, (b + 1) * width).map((value) => value * deviation + mean),
    ),
    memory: {
      tokens: memory.tokens + count,
      values: Object.fromEntries(memories.map((name) => [name, results[`next.${name}`]!])),
    },
  };
};

/**
 * Pass after pass until the horizon is reached. With the cache, a later pass sees only the points that
 * no token of the memory holds, standardised by their own mean and deviation, although the memory was
 * standardised otherwise: so does the reference.
 */
const rollOut = async (
  run: RunGraph,
  rows: readonly Float32Array[],
  horizon: number,
  { c, revin, use_cache }: Options & { readonly c: Config },
): Promise<Float32Array[]> => {
  const context = rows[0]!.length;
  const series = rows.map((row) => {
    const room = new Float32Array(context + horizon);
    room.set(row);
    return room;
  });
  let memory = emptyMemory(rows.length, c);
  for (let done = 0; done < horizon; ) {
    const known = context + done;
    const isNew = Math.floor(known / c.input_token_len) > memory.tokens;
    const past = use_cache && isNew ? memory : emptyMemory(rows.length, c);
    const unread = series.map((row) => row.subarray(past.tokens * c.input_token_len, known));
    const head = headFor(horizon - done, c);
    const steps = Math.min(c.output_token_lens[head]!, horizon - done);
    const keep = use_cache && done + steps < horizon;
    const pass = await onePass(run, unread, c, { memory: past, head, revin, keep });
    pass.points.forEach((points, b) => {
      series[b]!.set(points.subarray(0, steps), known);
    });
    memory = pass.memory;
    done += steps;
  }
  return series.map((row) => row.slice(context));
};

/** The newest points that fill whole tokens; the oldest that do not are dropped. */
const wholeTokens = (row: Float32Array, c: Config, contextLength: number): Float32Array => {
  const { input_token_len: size } = c;
  return row.subarray(row.length - Math.floor(Math.min(row.length, contextLength) / size) * size);
};

const isConstant = (row: Float32Array): boolean =>
  Number.isFinite(row[0]) && row.every((value) => value === row[0]);

const forecast = async (run: RunGraph, c: Config, task: Task): Promise<Outcome> => {
  const chosen = readOptions(options(c), task, 'timer');
  const { rows, warnings } = filledRows(task.series, 'timer');
  const notes = [...warnings];
  const contexts = rows.map((row, i) => {
    const kept = wholeTokens(row, c, chosen.context_length);
    const series = `series '${task.series[i]!.id}'`;
    if (kept.length === 0) {
      throw new TollamaError(
        'INVALID_INPUT',
        `${series} has ${row.length} points, timer reads tokens of ${c.input_token_len}`,
        {
          hint: `give a history of at least ${c.input_token_len} points`,
        },
      );
    }
    if (chosen.revin && isConstant(kept))
      notes.push(
        `${series} is constant: timer divides by its deviation, so that the forecast is no number`,
      );
    return kept;
  });
  if (task.quantiles.length > 0) notes.push('timer gives point forecasts: there are no quantiles');
  const points = new Array<Float32Array>(rows.length);
  for (const group of Map.groupBy(contexts.keys(), (i) => contexts[i]!.length).values()) {
    const done = await rollOut(
      run,
      group.map((i) => contexts[i]!),
      task.horizon,
      { ...chosen, c },
    );
    group.forEach((i, at) => {
      points[i] = done[at]!;
    });
  }
  return {
    forecasts: points.map((mean) => ({ targets: [{ mean, quantiles: [] }] })),
    warnings: notes,
  };
};

export const timer = defineFamily({
  name: 'timer',
  config: Config,
  recognizes: (config) => config.model_type === 'timer',
  capabilities: (c) => ({
    covariates: NO_COVARIATES,
    contextLength: CONTEXT_LENGTH,
    nativeHorizon: Math.max(...c.output_token_lens),
    maxHorizon: null,
    quantiles: [],
    multivariate: false,
    samples: false,
  }),
  graphs: (c, w, probe) => ({ forward: forward(c, w, probe) }),
  forecast,
});
