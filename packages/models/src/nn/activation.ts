/** Activations by the names that transformers' configs give them (transformers/activations.py, ACT2FN). */
import {
  add,
  clip,
  div,
  erf,
  gelu,
  geluTanh,
  maximum,
  mul,
  relu,
  sigmoid,
  silu,
  softplus,
  sqrt,
  sub,
  type Tensor,
  tanh,
} from '@tollama/graph';

export type Activation = (x: Tensor) => Tensor;

/** Mean and deviation of the normal distribution that `laplace` stands for. */
const LAPLACE = { mean: Math.SQRT1_2, deviation: Math.sqrt(0.25 / Math.PI) };

const laplace: Activation = (x) => {
  const { mean, deviation } = LAPLACE;
  return mul(add(erf(div(sub(x, mean), deviation * Math.SQRT2)), 1), 0.5);
};

/** `prelu` and `xielu` are missing: they have weights of their own. */
export const ACTIVATIONS = {
  gelu,
  gelu_10: (x) => clip(gelu(x), -10, 10),
  gelu_accurate: geluTanh,
  gelu_fast: geluTanh,
  gelu_new: geluTanh,
  gelu_python: gelu,
  gelu_python_tanh: geluTanh,
  gelu_pytorch_tanh: geluTanh,
  hardswish: (x) => mul(x, div(clip(add(x, 3), 0, 6), 6)),
  laplace,
  leaky_relu: (x) => maximum(x, mul(x, 0.01)),
  linear: (x) => x,
  mish: (x) => mul(x, tanh(softplus(x))),
  quick_gelu: (x) => mul(x, sigmoid(mul(x, 1.702))),
  relu,
  relu2: (x) => mul(relu(x), relu(x)),
  relu6: (x) => clip(x, 0, 6),
  sigmoid,
  silu,
  sqrtsoftplus: (x) => sqrt(softplus(x)),
  swish: silu,
  tanh,
} as const satisfies Readonly<Record<string, Activation>>;

export type ActivationName = keyof typeof ACTIVATIONS;

export const ACTIVATION_NAMES = Object.keys(ACTIVATIONS) as readonly ActivationName[];
