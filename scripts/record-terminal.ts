/**
 * Records a session of the real command line in a real terminal, and draws it as docs/images/terminal.svg.
 * Needs `script` of util-linux for the terminal. Everything it starts, it stops.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { screenOf } from './terminal/screen.ts';
import { terminalSvg } from './terminal/svg.ts';

const root = join(import.meta.dirname, '..');
const cli = join(root, 'packages/cli/bin/tollama.mjs');
const COLUMNS = 112;
const MONTHS = 240;

const SESSION: readonly (readonly string[])[] = [
  ['run', '--input', 'co2.csv', '--horizon', '36'],
  ['compare', 'auto', 'theta', '--input', 'co2.csv', '--horizon', '12', '--quiet'],
  ['ps'],
];

const folder = mkdtempSync(join(tmpdir(), 'tollama-record-'));
const env = {
  PATH: process.env.PATH,
  HOME: folder,
  TERM: 'xterm-256color',
  TOLLAMA_HOME: join(folder, 'home'),
  TOLLAMA_HOST: '127.0.0.1:0',
};

/** Monthly CO2 at Mauna Loa, its latest months. */
const writeData = (): void => {
  const path = join(root, 'node_modules/vega-datasets/data/co2-concentration.csv');
  const rows = readFileSync(path, 'utf8').trim().split('\n').slice(-MONTHS);
  const values = rows.map((row) => row.split(',').slice(0, 2).join(','));
  writeFileSync(join(folder, 'co2.csv'), `ds,y\n${values.join('\n')}\n`);
};

const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

/** What a terminal of that width gets to see of a command. */
const record = (args: readonly string[], address: string): string => {
  const command = [process.execPath, cli, ...args].map(quoted).join(' ');
  const inside = `stty cols ${COLUMNS} rows 50; exec ${command}`;
  return execFileSync('script', ['-qefc', inside, '/dev/null'], {
    cwd: folder,
    env: { ...env, TOLLAMA_HOST: address },
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
};

const daemon = spawn(process.execPath, [join(root, 'packages/daemon/bin/tollamad.mjs')], {
  env,
  stdio: ['ignore', 'ignore', 'pipe'],
});
try {
  let log = '';
  let address: string | undefined;
  while (address === undefined) {
    const [chunk] = (await once(daemon.stderr, 'data')) as [Buffer];
    log += String(chunk);
    address = /"url":"http:\/\/([^"]+)"/.exec(log)?.[1];
  }
  writeData();
  const prompt = '\u001b[1;32m$\u001b[0m ';
  const session = SESSION.map(
    (args) => `${prompt}\u001b[1mtollama ${args.join(' ')}\u001b[0m\n${record(args, address)}`,
  );
  const lines = screenOf(session.join('\n'), COLUMNS);
  const svg = terminalSvg(lines, { columns: COLUMNS, title: 'tollama' });
  writeFileSync(join(root, 'docs/images/terminal.svg'), svg);
  console.log(
    `docs/images/terminal.svg: ${lines.length} lines, ${Math.round(svg.length / 1024)} kB`,
  );
} finally {
  daemon.kill('SIGTERM');
  await once(daemon, 'exit');
  rmSync(folder, { recursive: true, force: true });
}
