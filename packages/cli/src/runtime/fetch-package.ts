/** Packages put into folders of their own by npm, which checks their hashes. */
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { errorMessage, TollamaError } from '@tollama/core/errors';

const INSTALL_TIMEOUT_MS = 600_000;

const npmFailed = (what: string, cause: unknown): TollamaError => {
  const { code, stderr } = cause as { code?: unknown; stderr?: string };
  if (code === 'ENOENT') {
    return new TollamaError('DEPENDENCY_MISSING', 'npm is not installed', {
      hint: 'install Node with npm; what was there before stays in use',
      cause,
    });
  }
  const lines = (stderr || errorMessage(cause))
    .split('\n')
    .filter((line) => line.trim() && !line.startsWith('npm warn'));
  const reason =
    lines.find((line) => /EINTEGRITY|E404|ECONN|ETARGET|ENOTFOUND/.test(line)) ?? lines[0];
  return new TollamaError(
    'DEPENDENCY_MISSING',
    `npm could not install ${what}: ${reason?.trim()}`,
    { hint: 'check the network and the registry; what was there before stays in use', cause },
  );
};

export interface PackageOptions {
  /** Such as onnxruntime-node@1.30.0. */
  readonly what: string;
  readonly runsScripts?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Has npm put a package into a folder.
 *
 * @throws TollamaError DEPENDENCY_MISSING when it cannot be had
 */
export const fetchPackage = async (
  folder: string,
  { what, runsScripts = false, env = {} }: PackageOptions,
): Promise<void> => {
  await mkdir(folder, { recursive: true });
  await writeFile(`${folder}/package.json`, '{"private": true}\n');
  const scripts = runsScripts ? [] : ['--ignore-scripts'];
  const args = ['install', '--no-audit', '--no-fund', '--no-package-lock', ...scripts];
  try {
    await promisify(execFile)('npm', [...args, what], {
      cwd: folder,
      env: { ...process.env, ...env },
      timeout: INSTALL_TIMEOUT_MS,
    });
  } catch (cause) {
    throw npmFailed(what, cause);
  }
};
