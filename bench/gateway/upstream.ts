/** The upstream of a load bench, a process of its own: `node upstream.ts PORT LATENCY_MS`. */
import { createServer } from 'node:http';
import { benchQuantiles } from '../../packages/gateway/src/bench/requests.ts';

const [port = '0', latency = '15'] = process.argv.slice(2);
const text = JSON.stringify({ quantiles: benchQuantiles(), meta: {} });
const headers = { 'content-type': 'application/json', 'content-length': text.length };

createServer((request, response) => {
  request.resume();
  request.on('end', () =>
    setTimeout(() => response.writeHead(200, headers).end(text), Number(latency)),
  );
}).listen(Number(port), '127.0.0.1', () => process.stdout.write('ready\n'));
