/** The machine that a result was measured on, so that results of two machines are not taken for one. */
import { execFile } from 'node:child_process';
import { cpus, hostname, totalmem } from 'node:os';
import { promisify } from 'node:util';
import { TollamaError } from '@tollama/core/errors';
import type { Device } from '@tollama/graph';
import { runtimeFacts } from '@tollama/graph/session/runtime-facts';

export interface Environment {
  readonly device: Device;
  readonly node: string;
  readonly onnxruntime: string | null;
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

/** @throws TollamaError DEPENDENCY_MISSING when the device is not there: nothing is measured on another */
export const readEnvironment = async (device: Device): Promise<Environment> => {
  const { version, providers } = await runtimeFacts();
  if (!providers.includes(device)) {
    throw new TollamaError('DEPENDENCY_MISSING', `device '${device}' is not usable here`, {
      hint: `use ${providers.join(' or ')}`,
    });
  }
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
