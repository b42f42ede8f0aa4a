/** The machine that a result was measured on, so that results of two machines are not taken for one. */
import { execFile } from 'node:child_process';
import { cpus, hostname, totalmem } from 'node:os';
import { promisify } from 'node:util';
import { errorMessage, TollamaError } from '@tollama/core/errors';
import { add, type Device, defineGraph, input, openSession } from '@tollama/graph';
import { runtimeFacts } from '@tollama/graph/session/runtime-facts';

export interface Environment {
  readonly device: Device;
  readonly node: string;
  readonly onnxruntime: string | null;
  /** Those that were shown to work here; a build knows more than a machine has. */
  readonly providers: readonly string[];
  readonly cpu: string;
  readonly cores: number;
  readonly memory_bytes: number;
  readonly hostname: string;
  readonly platform: string;
  readonly commit: string | null;
}

const gitCommit = async (): Promise<string | null> => {
  try {
    const folder = import.meta.dirname;
    const { stdout } = await promisify(execFile)('git', ['rev-parse', 'HEAD'], { cwd: folder });
    return stdout.trim();
  } catch {
    return process.env.GITHUB_SHA ?? null;
  }
};

/** Whether a session opens on a device, by opening one. */
const tryDevice = async (device: Device): Promise<void> => {
  const x = input('x', [1]);
  const graph = defineGraph('device', [x], { y: add(x, x) });
  try {
    await using _session = await openSession(graph, { threads: 1, device });
  } catch (cause) {
    throw new TollamaError('INVALID_REQUEST', errorMessage(cause), {
      hint: 'use --device cpu',
      cause,
    });
  }
};

/** @throws TollamaError INVALID_REQUEST when the device is not there: nothing is measured on another */
export const readEnvironment = async (device: Device): Promise<Environment> => {
  const { version, providers: built } = await runtimeFacts();
  if (device !== 'cpu') await tryDevice(device);
  const providers = built.filter((name) => name === 'cpu' || name === device);
  const [cpu] = cpus();
  return {
    device,
    node: process.version,
    onnxruntime: version,
    providers,
    cpu: cpu?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memory_bytes: totalmem(),
    hostname: hostname(),
    platform: `${process.platform}-${process.arch}`,
    commit: await gitCommit(),
  };
};

/** Equal for two runs whose times may be compared. */
export const fingerprintOf = (environment: Environment): string => {
  const { device, node, onnxruntime, cpu, cores, platform } = environment;
  return [device, node, onnxruntime, cpu, cores, platform].join('|');
};
