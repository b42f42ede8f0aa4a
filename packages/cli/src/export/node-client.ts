/** The Node client that an export brings: onnxruntime-node, nothing of ours. */
export const NODE_CLIENT = `// Runs the exported model with onnxruntime-node alone (npm install onnxruntime-node).
//
//   node client.mjs                     run the example and hold it against what tollama computed
//   node client.mjs --series 1,2,3,...  forecast a series (models whose model.json has "feeding")
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const library = 'onnxruntime-node';
const { default: onnxruntime } = await import(library);

const folder = import.meta.dirname;
const model = JSON.parse(readFileSync(join(folder, 'model.json'), 'utf8'));
const ARRAYS = { float32: Float32Array, float64: Float64Array, int64: BigInt64Array, int32: Int32Array, int8: Int8Array, uint8: Uint8Array, bool: Uint8Array };

const openGraph = (graph) => onnxruntime.InferenceSession.create(join(folder, graph.file));

const tensor = ({ dtype, dims, base64 }) => {
  const bytes = Uint8Array.from(Buffer.from(base64, 'base64'));
  return new onnxruntime.Tensor(dtype, new ARRAYS[dtype](bytes.buffer), dims);
};

/** 4*patches -> a multiple of 4; a number is the length itself. */
const paddedLength = (shape, length) => {
  const size = shape.at(-1);
  if (typeof size === 'number') return size;
  const head = Number.parseInt(size, 10);
  const step = /^\\d+\\*/.test(size) ? head : 1;
  return Math.ceil(Math.max(1, length) / step) * step;
};

const feedsOf = (graph, feeding, contexts, horizon) => {
  const limit = model.context_length ?? Infinity;
  const rows = contexts.map((row) => row.slice(-limit));
  const longest = Math.max(...rows.map((row) => row.length));
  const feeds = {};
  for (const { name, shape } of graph.inputs) {
    const role = feeding.inputs[name];
    const isFuture = role.endsWith('-future');
    const length = paddedLength(shape, isFuture ? horizon : longest);
    const data = new Float32Array(rows.length * length).fill(role === 'zeros-future' ? 0 : Number.NaN);
    if (!isFuture) {
      rows.forEach((row, b) => {
        const kept = row.slice(-length);
        data.set(kept, (b + 1) * length - kept.length);
      });
    }
    if (role === 'observed') data.forEach((value, i) => (data[i] = Number.isNaN(value) ? 0 : 1));
    else if (role === 'values' && feeding.missing === 'zero') {
      data.forEach((value, i) => (data[i] = Number.isNaN(value) ? 0 : value));
    }
    const dims = shape.length === 3 ? [rows.length, 1, length] : [rows.length, length];
    feeds[name] = new onnxruntime.Tensor('float32', data, dims);
  }
  return feeds;
};

/** [series][points], NaN where missing -> the output tensor; its axes are feeding.layout. */
export const forecast = async (contexts, horizon = model.native_horizon) => {
  const { feeding } = model;
  if (!feeding) throw new Error(\`\${model.family}: \${model.roll_out ?? model.prepared}\`);
  const [graph] = model.graphs;
  const session = await openGraph(graph);
  const { [feeding.output]: output } = await session.run(feedsOf(graph, feeding, contexts, horizon), [feeding.output]);
  return { levels: model.quantile_levels, layout: feeding.layout, dims: output.dims, values: output.data };
};

const check = async (tolerance) => {
  const example = JSON.parse(readFileSync(join(folder, 'example.json'), 'utf8'));
  let worst = 0;
  for (const graph of model.graphs.filter(({ has_example }) => has_example)) {
    const { inputs, outputs } = example.runs[graph.name];
    const session = await openGraph(graph);
    const feeds = Object.fromEntries(Object.entries(inputs).map(([name, stored]) => [name, tensor(stored)]));
    const got = await session.run(feeds, Object.keys(outputs));
    for (const [name, stored] of Object.entries(outputs)) {
      const want = tensor(stored).data;
      let largest = 1e-12;
      let error = 0;
      want.forEach((value, i) => {
        const number = Number(value);
        if (Number.isNaN(number)) return;
        largest = Math.max(largest, Math.abs(number));
        error = Math.max(error, Math.abs(number - Number(got[name].data[i])));
      });
      worst = Math.max(worst, error / largest);
      console.log(\`\${graph.name}: \${name} [\${got[name].dims}] differs by \${(error / largest).toExponential(2)} of its largest value\`);
    }
  }
  console.log(worst <= tolerance ? 'ok' : 'DIFFERENT');
  process.exitCode = worst <= tolerance ? 0 : 1;
};

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({ options: { series: { type: 'string' }, horizon: { type: 'string' }, tolerance: { type: 'string', default: '1e-3' } } });
  if (values.series) {
    const context = values.series.split(',').map(Number);
    const answer = await forecast([context], values.horizon && Number(values.horizon));
    console.log(JSON.stringify({ ...answer, values: Array.from(answer.values) }));
  } else await check(Number(values.tolerance));
}
`;
