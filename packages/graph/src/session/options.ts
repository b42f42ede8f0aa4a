/** What a session is opened with: the weights, the machine's share, and how exact it computes. */
import { didYouMean } from '@tollama/core/did-you-mean';
import { TollamaError } from '@tollama/core/errors';
import type { Checkpoint } from '../safetensors/checkpoint.ts';

/** float32 is exact; int8 quantises the weights of linear layers when the graph is made. */
export const PRECISIONS = ['float32', 'int8'] as const;
export type Precision = (typeof PRECISIONS)[number];

/** Execution providers of onnxruntime-node, by the names that users know. */
export const DEVICES = ['cpu', 'cuda', 'webgpu', 'coreml', 'dml'] as const;
export type Device = (typeof DEVICES)[number];

export interface SessionOptions {
  /** Holds the graph's parameters; may be absent for a graph without any. */
  readonly checkpoint?: Checkpoint;
  /** Threads within an operator; 1 or more. */
  readonly threads: number;
  readonly precision?: Precision;
  readonly device?: Device;
  /** Linear layers whose weight's name matches stay float32 under int8. */
  readonly keepFloat32?: RegExp | undefined;
  /** Where graph files are kept between runs; a temporary folder when absent. */
  readonly cacheDir?: string | undefined;
  /** Writes onnxruntime's profile of every operator to files of this prefix. */
  readonly profile?: string | undefined;
  /** onnxruntime's own session options, laid over ours; for measurements. */
  readonly runtime?: Readonly<Record<string, unknown>> | undefined;
}

const refuse = (message: string, hint: string): never => {
  throw new TollamaError('INVALID_REQUEST', message, { hint });
};

const requireOneOf = (what: string, value: string, known: readonly string[]): void => {
  if (known.includes(value)) return;
  const near = didYouMean(value, known);
  const list = `known are ${known.join(', ')}`;
  refuse(`unknown ${what} '${value}'`, near ? `did you mean '${near}'? ${list}` : list);
};

/** Throws INVALID_REQUEST that names the option, its value and what would do. */
export const checkOptions = ({ threads, precision, device }: SessionOptions): void => {
  if (!Number.isInteger(threads) || threads < 1) {
    refuse(`threads = ${threads} is not a whole number of 1 or more`, 'leave --threads away');
  }
  if (precision !== undefined) requireOneOf('precision', precision, PRECISIONS);
  if (device !== undefined) requireOneOf('device', device, DEVICES);
};
