/** The upstream of a chaos run: a process that answers, throttles or talks nonsense, as it is told on stdin. */
import { createServer } from 'node:http';
import { createInterface } from 'node:readline';

const [port = '0'] = process.argv.slice(2);
let mode = 'ok';

const row = (value: number): number[] => Array.from({ length: 12 }, () => value);
const GOOD = JSON.stringify({ quantiles: { '0.1': row(-0.7), '0.5': row(-0.2), '0.9': row(0.3) } });
const LATENCY_MS = 5;

createServer((request, response) => {
  request.resume();
  request.on('end', () => {
    if (mode === 'throttle') response.writeHead(429).end('{}');
    else if (mode === 'garbage')
      response.end(Math.random() < 0.5 ? '{"quant' : '{"quantiles":{"0.5":[1]}}');
    else setTimeout(() => response.end(GOOD), LATENCY_MS);
  });
}).listen(Number(port), '127.0.0.1', () => process.stdout.write('ready\n'));

createInterface({ input: process.stdin }).on('line', (line) => {
  mode = line.trim();
});
