/**
 * FlowState: layers of diagonal state spaces (S5) over single points, and a decoder that gives coefficients of
 * continuous basis functions. A scale factor stretches time in both, so that one model serves all sampling
 * rates. Each step of the encoder can forecast one patch; a longer horizon appends missing steps.
 *
 * Paper        Graf et al., "FlowState: Sampling Rate Invariant Time Series Forecasting", 2025 (arXiv
 *              2508.05287); Smith et al., "Simplified State Space Layers for Sequence Modeling", ICLR 2023
 * Reference    github.com/ibm-granite/granite-tsfm, tsfm_public/models/flowstate (Apache-2.0)
 * Checkpoints  ibm-granite/granite-timeseries-flowstate-r1, revisions main (r1.0) and r1.1 (Apache-2.0)
 */
import { NO_COVARIATES } from '@tollama/core/capabilities';
import {
  add,
  cast,
  concat,
  constant,
  cos,
  type Dim,
  defineGraph,
  dimOf,
  div,
  exp,
  type Graph,
  input,
  iota,
  layerNormalize,
  matmul,
  mul,
  multiplyDims,
  neg,
  rearrange,
  repeat,
  rmsNormalize,
  scan,
  selu,
  sigmoid,
  silu,
  sin,
  slice,
  sub,
  symbol,
  type Tensor,
  take,
  type Weights,
} from '@tollama/graph';
import { defineFamily, type Probe } from '../family.ts';
import { linear } from '../nn/linear.ts';
import { CHUNK, Config, forecast, limitsOf } from './flowstate/forecast.ts';
import { training } from './flowstate/training.ts';

/** A complex tensor as its two parts. */
interface Complex {
  readonly re: Tensor;
  readonly im: Tensor;
}

const times = (a: Complex, b: Complex): Complex => ({
  re: sub(mul(a.re, b.re), mul(a.im, b.im)),
  im: add(mul(a.re, b.im), mul(a.im, b.re)),
});

/** exp(k * rate): rate [n], k [e] float -> [n, e] */
const powers = (rate: Complex, k: Tensor): Complex => {
  const along = (part: Tensor): Tensor =>
    mul(rearrange(part, 'n -> n 1'), rearrange(k, 'e -> 1 e'));
  const size = exp(along(rate.re));
  const angle = along(rate.im);
  return { re: mul(size, cos(angle)), im: mul(size, sin(angle)) };
};

// ---- the state space -----------------------------------------------------------------------------

/**
 * h_t = exp(L) h_{t-1} + G B x_t for S independent complex states, with L = scale * lambda * delta and
 * G = (exp(L) - 1) / lambda.
 */
interface Dynamics {
  /** L [S] */
  readonly rate: Complex;
  /** G [S, 1] */
  readonly gain: Complex;
}

const dynamics = (w: Weights, { encoder_state_dim: states }: Config, scale: Tensor): Dynamics => {
  const [real, imag, step] = ['log_Lambda_real', 'Lambda_imag', 'log_Delta'].map((name) =>
    w.get(name, [states]),
  );
  const lambda = { re: neg(exp(real!)), im: imag! };
  const stretch = mul(exp(step!), scale);
  const rate = { re: mul(lambda.re, stretch), im: mul(lambda.im, stretch) };
  const grown = powers(rate, constant([1]));
  const column = (x: Tensor): Tensor => rearrange(x, 'n -> n 1');
  const square = add(mul(lambda.re, lambda.re), mul(lambda.im, lambda.im));
  const inverse = {
    re: column(div(lambda.re, square)),
    im: column(neg(div(lambda.im, square))),
  };
  return { rate, gain: times({ re: sub(grown.re, 1), im: grown.im }, inverse) };
};

/**
 * Which power stands where in the operator of a chunk, as a matrix of 0, 1 and -1. From 4 * c columns, the
 * parts of G exp(0 L), ..., G exp((c-1) L) and of exp(1 L), ..., exp(c L), to the operator's rows (part, step
 * j) and columns: (part, step k) for what enters at k, then the parts of the state before the chunk.
 */
const placement = (): Tensor => {
  const [rows, columns] = [2 * CHUNK, 2 * CHUNK + 2];
  const places = new Array<number>(4 * CHUNK * rows * columns).fill(0);
  const put = (power: number, row: number, column: number, value: number): void => {
    places[(power * rows + row) * columns + column] = value;
  };
  /** A complex factor as a real 2 x 2 matrix. */
  const putFactor = (
    re: number,
    im: number,
    j: number,
    column: readonly [number, number],
  ): void => {
    put(re, j, column[0], 1);
    put(im, j, column[1], -1);
    put(im, CHUNK + j, column[0], 1);
    put(re, CHUNK + j, column[1], 1);
  };
  for (let j = 0; j < CHUNK; j++) {
    for (let k = 0; k <= j; k++) putFactor(j - k, CHUNK + j - k, j, [k, CHUNK + k]);
    putFactor(2 * CHUNK + j, 3 * CHUNK + j, j, [2 * CHUNK, 2 * CHUNK + 1]);
  }
  return constant(places, 'float32', [4 * CHUNK, rows * columns]);
};

/** u [S, 2c, m * b] of m chunks -> states after each step [S, 2c, m * b] */
const scanStates = (u: Tensor, { rate, gain }: Dynamics, batch: Dim, places: Tensor): Tensor => {
  const exponents = constant(Array.from({ length: CHUNK + 1 }, (_, k) => k));
  const decay = powers(rate, exponents); // [S, c + 1]
  const entering = times(gain, decay);
  const [early, late] = [
    (x: Tensor) => slice(x, 1, { end: CHUNK }),
    (x: Tensor) => slice(x, 1, { start: 1 }),
  ];
  const table = [early(entering.re), early(entering.im), late(decay.re), late(decay.im)];
  const operator = rearrange(matmul(concat(table, 1), places), 's (i k) -> s i k', {
    i: 2 * CHUNK,
  });

  // What a chunk leaves behind, if nothing was before it: the rows of its last step.
  const last = slice(rearrange(operator, 's (r j) k -> s r j k', { r: 2 }), 2, {
    start: CHUNK - 1,
  });
  const ending = slice(rearrange(last, 's r 1 k -> s r k'), 2, { end: 2 * CHUNK });
  const ends = rearrange(matmul(ending, u), 's r (m b) -> m r s b', { b: batch });
  const part = (x: Tensor, r: number): Tensor =>
    rearrange(slice(x, 1, { start: r, end: r + 1 }), 'm 1 s b -> m s b');
  const chunkDecay = {
    re: slice(decay.re, 1, { start: CHUNK }),
    im: slice(decay.im, 1, { start: CHUNK }),
  };
  const zero = repeat(constant([0]), '1 -> s b', { s: dimOf(u, 0), b: batch });
  const { outputs } = scan(
    [zero, zero],
    [part(ends, 0), part(ends, 1)],
    ([re, im], [toRe, toIm]) => {
      const carried = times(chunkDecay, { re: re!, im: im! });
      return { states: [add(carried.re, toRe!), add(carried.im, toIm!)], outputs: [re!, im!] };
    },
  );
  const before = outputs.map((x) => rearrange(x, 'm s b -> s 1 (m b)'));
  return matmul(operator, concat([u, ...before], 1));
};

/** Two matrices as one whose axis `axis` alternates between them. */
const alternate = (a: Tensor, b: Tensor, axis: 0 | 1): Tensor =>
  axis === 0
    ? rearrange(
        concat([rearrange(a, 's f -> s 1 f'), rearrange(b, 's f -> s 1 f')], 1),
        's r f -> (s r) f',
      )
    : rearrange(
        concat([rearrange(a, 'f s -> f s 1'), rearrange(b, 'f s -> f s 1')], 2),
        'f s r -> f (s r)',
      );

/** What the layers of one pass share. */
interface Pass {
  readonly scale: Tensor;
  /** Places (step of chunk, chunk) that the last layer gives. */
  readonly picks: Tensor;
  /** See `placement`. */
  readonly places: Tensor;
}

/** S5: x [c, m, b, F] -> C h + D x, of all steps [c, m, b, F] or of the picked ones [k, 1, b, F] */
const stateSpace = (x: Tensor, w: Weights, c: Config, pass: Pass, isLast: boolean): Tensor => {
  const { encoder_state_dim: states, embedding_feature_dim: width } = c;
  const [chunks, batch] = [dimOf(x, 1), dimOf(x, 2)];
  const enter = alternate(
    w.get('B_tilde_r', [states, width]),
    w.get('B_tilde_i', [states, width]),
    0,
  );
  const leave = alternate(
    w.get('C_tilde_r', [width, states]),
    neg(w.get('C_tilde_i', [width, states])),
    1,
  );
  const entered = matmul(enter, rearrange(x, 'c m b f -> (c m b) f'), { transposeB: true });
  const u = rearrange(entered, '(s r) (c m b) -> s (r c) (m b)', {
    r: 2,
    c: CHUNK,
    m: chunks,
    b: batch,
  });
  const h = scanStates(u, dynamics(w, c, pass.scale), batch, pass.places);
  const steps = rearrange(h, 's (r c) (m b) -> (s r) (c m) b', { r: 2, m: chunks });
  const kept = isLast ? take(steps, pass.picks, 1) : steps;
  const y = matmul(rearrange(kept, 'n t b -> (t b) n'), leave, { transposeB: true });
  const shaped = rearrange(y, '(t b) f -> t b f', { b: batch });
  const gate = (z: Tensor): Tensor => mul(sigmoid(linear(z, w.at('output_gate'), width)), z);
  const gated = c.out_gating ? gate(shaped) : shaped;
  return add(gated, mul(picked(x, pass, isLast), w.get('D', [width])));
};

/** [c, m, b, F] -> [c * m, b, F], or the picked ones of its steps */
const picked = (x: Tensor, { picks }: Pass, isLast: boolean): Tensor => {
  const steps = rearrange(x, 'c m b f -> (c m) b f');
  return isLast ? take(steps, picks) : steps;
};

/** y [t, b, F] -> [t, b, F], gated by itself or through a wider layer */
const mlp = (y: Tensor, w: Weights, { mlp_type, embedding_feature_dim: width }: Config): Tensor => {
  if (mlp_type === 'gated') {
    const z = selu(y);
    return mul(z, sigmoid(linear(z, w.at('out'), width)));
  }
  const r = rmsNormalize(y, w.get('mlp.rms_weight', [width]), 1e-6);
  const hidden = mul(
    silu(linear(r, w.at('mlp.w1'), 2 * width)),
    linear(r, w.at('mlp.w2'), 2 * width),
  );
  return add(linear(hidden, w.at('mlp.w3'), width), y);
};

/** x [c, m, b, F] -> [t, b, F], of all steps or of the picked ones; only the branch is normalised */
const layer = (
  x: Tensor,
  w: Weights,
  c: Config,
  pass: Pass,
  isLast: boolean,
  probe: Probe,
): Tensor => {
  const width = c.embedding_feature_dim;
  const y = probe('ssm_out', stateSpace(x, w.at('ssm'), c, pass, isLast));
  const norm = w.at('norm');
  const [gain, offset] = [norm.get('weight', [width]), norm.get('bias', [width])];
  return add(picked(x, pass, isLast), layerNormalize(mlp(y, w, c), gain, offset, 1e-5));
};

// ---- the whole -----------------------------------------------------------------------------------

/** [c, m, b, f] or [c * m, b, f] in the order of time, [m * c, b, f]; for probes. */
const inTime = (x: Tensor, chunks: Dim): Tensor => {
  const split =
    x.shape.length === 4 ? x : rearrange(x, '(c m) b f -> c m b f', { c: CHUNK, m: chunks });
  return rearrange(split, 'c m b f -> (m c) b f');
};

/** Marks the kernel exp(k L) and the matrix G B of the first layer; made for tests alone. */
const probeDynamics = (w: Weights, c: Config, pass: Pass, length: Dim, probe: Probe): void => {
  const { encoder_state_dim: states, embedding_feature_dim: width } = c;
  const { rate, gain } = dynamics(w, c, pass.scale);
  const kernel = powers(rate, cast(iota(length), 'float32'));
  probe('layer0_kernel_re', rearrange(kernel.re, 's k -> k s'));
  probe('layer0_kernel_im', rearrange(kernel.im, 's k -> k s'));
  const shape = [states, width];
  const bar = times(gain, { re: w.get('B_tilde_r', shape), im: w.get('B_tilde_i', shape) });
  probe('layer0_B_bar_re', bar.re);
  probe('layer0_B_bar_im', bar.im);
};

/**
 * steps [16, chunks, batch, 2]: value and missing flag of step 16 * chunk + i at [i, chunk]; basis
 * [decoder_dim, patch] -> standardised `curves` [joins, batch, Q, patch] that start after the joins among
 * the picked steps
 */
const forward = (c: Config, w: Weights, probe: Probe): Graph => {
  const { embedding_feature_dim: width, encoder_num_layers, decoder_dim, quantiles } = c;
  const chunks = symbol('chunks');
  const steps = input('steps', [CHUNK, chunks, 'batch', 2]);
  const scale = input('scale', []);
  const picks = input('picks', ['picks'], 'int64');
  const joins = input('joins', ['joins'], 'int64');
  const basis = input('basis', [decoder_dim, 'patch']);
  const pass = { scale, picks, places: placement() };
  probe('normalised_input_and_mask', inTime(steps, chunks));
  probe('basis_functions', basis);

  const read = c.with_missing ? steps : slice(steps, 3, { end: 1 });
  let x = linear(read, w.at('model.embed.embed'), width);
  probe('embedded', inTime(x, chunks));
  const first = w.at('model.encoder.layers.0');
  probeDynamics(first.at('ssm'), c, pass, multiplyDims(CHUNK, chunks), probe);
  let flat = picked(x, pass, false);
  for (let l = 0; l < encoder_num_layers; l++) {
    const isLast = l === encoder_num_layers - 1;
    const inner: Probe = (name, tensor) => {
      if (!isLast) probe(`layer${l}_${name}`, inTime(tensor, chunks));
      return tensor;
    };
    flat = layer(x, w.at(`model.encoder.layers.${l}`), c, pass, isLast, inner);
    if (isLast) break;
    inner('out', flat);
    x = rearrange(flat, '(c m) b f -> c m b f', { c: CHUNK, m: chunks });
  }
  probe('encoder_out', flat);
  const coefficients = linear(
    take(flat, joins),
    w.at('model.decoder.lin'),
    quantiles.length * decoder_dim,
  );
  const split = rearrange(coefficients, 'k b (q d) -> k b q d', { q: quantiles.length });
  probe('decoder_coefficients', split);
  const curves = probe('decoder_raw', matmul(split, basis));
  return defineGraph('flowstate', [steps, scale, picks, joins, basis], { curves });
};

export const flowstate = defineFamily({
  name: 'flowstate',
  config: Config,
  recognizes: (config) => config.model_type === 'flowstate',
  capabilities: (c) => {
    const { contextLength, patch } = limitsOf(c, c.scale_factor);
    return {
      covariates: NO_COVARIATES,
      contextLength,
      nativeHorizon: patch,
      maxHorizon: c.with_missing ? contextLength - 1 + patch : patch,
      quantiles: c.quantiles,
      multivariate: false,
      samples: false,
    };
  },
  graphs: (c, w, probe) => ({ forward: forward(c, w, probe) }),
  forecast,
  training,
  keepFloat32: /^model\.(embed|decoder)\./,
});
