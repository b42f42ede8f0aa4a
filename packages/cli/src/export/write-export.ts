/** Writes an exported model with its clients: plain ONNX files, or a model repository of Triton. */
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TollamaError } from '@tollama/core/errors';
import { describeExample, describeExport } from '@tollama/models/export/describe';
import {
  type ExportedModel,
  type ExportFacts,
  type ExportModelRequest,
  exportModel,
} from '@tollama/models/export/export-model';
import { NODE_CLIENT } from './node-client.ts';
import { PYTHON_CLIENT } from './python-client.ts';
import { tritonClient } from './triton-client.ts';
import { tritonConfig } from './triton-config.ts';

export const EXPORT_FORMATS = ['onnx', 'triton'] as const;
export type ExportFormat = (typeof EXPORT_FORMATS)[number];

export interface WriteExportRequest extends Omit<ExportModelRequest, 'output'> {
  readonly format: ExportFormat;
  readonly name: string;
  /** The folder of an ONNX export, the repository of a Triton export. */
  readonly output: string;
  readonly version: number;
  readonly maxBatchSize: number;
  readonly maxQueueDelayMicroseconds: number;
  readonly instances: number;
  readonly threads: number;
  readonly isForced: boolean;
}

export interface WrittenExport {
  readonly model: ExportedModel;
  /** The folder with model.json. */
  readonly folder: string;
  readonly configFile?: string;
}

const isEmpty = async (folder: string): Promise<boolean> =>
  (await readdir(folder).catch(() => [])).length === 0;

/** Files of something else are not mixed with. */
const requireEmpty = async (folder: string, isForced: boolean): Promise<void> => {
  if (isForced || (await isEmpty(folder))) return;
  throw new TollamaError('INVALID_REQUEST', `output = ${folder} is not empty`, {
    hint: 'name another folder, or write over it with --force',
  });
};

const requireOnePass = ({ family, isOnePass }: ExportFacts): void => {
  if (isOnePass) return;
  throw new TollamaError(
    'MODEL_UNSUPPORTED',
    `a forecast of family '${family}' is a loop of several runs, which a Triton model cannot hold`,
    {
      hint: 'export its parts with --format onnx, or let `tollama serve` answer the Open Inference Protocol (docs/drop-in.md)',
    },
  );
};

const writeJson = (path: string, value: unknown): Promise<void> =>
  writeFile(path, `${JSON.stringify(value, null, 2)}\n`);

const writeDescriptions = async (
  folder: string,
  { name, precision }: WriteExportRequest,
  model: ExportedModel,
): Promise<void> => {
  await writeJson(join(folder, 'model.json'), describeExport(name, model, precision));
  const example = describeExample(model);
  if (example) await writeFile(join(folder, 'example.json'), `${JSON.stringify(example)}\n`);
};

const writeOnnx = async (request: WriteExportRequest): Promise<WrittenExport> => {
  const { output } = request;
  await requireEmpty(output, request.isForced);
  const model = await exportModel({ ...request, output: () => output });
  await writeDescriptions(output, request, model);
  await writeFile(join(output, 'client.py'), PYTHON_CLIENT);
  await writeFile(join(output, 'client.mjs'), NODE_CLIENT);
  return { model, folder: output };
};

/** Other versions of the model stay: the repository grows by one. */
const writeTriton = async (request: WriteExportRequest): Promise<WrittenExport> => {
  const { output, name, version } = request;
  const place = join(output, name);
  const folder = join(place, String(version));
  // A name that cannot be served is refused before anything is computed.
  tritonConfig({ ...request, inputs: [], outputs: [], versions: 1 });
  await requireEmpty(folder, request.isForced);
  const model = await exportModel({
    ...request,
    output: (facts) => {
      requireOnePass(facts);
      return folder;
    },
  });
  const [graph] = model.graphs;
  await writeDescriptions(folder, request, model);
  const versions = (await readdir(place)).filter((entry) => /^\d+$/.test(entry)).length;
  const described = describeExport(name, model, request.precision).graphs[0]!;
  const configFile = join(place, 'config.pbtxt');
  await mkdir(place, { recursive: true });
  await writeFile(configFile, tritonConfig({ ...request, ...described, name, versions }));
  if (graph?.example) await writeFile(join(output, 'client.py'), tritonClient(name, version));
  return { model, folder, configFile };
};

/**
 * @throws TollamaError INVALID_REQUEST for a folder in use or a name that does not fit, MODEL_UNSUPPORTED for a
 *   family with a loop where one graph is asked for, and what `exportModel` throws
 */
export const writeExport = (request: WriteExportRequest): Promise<WrittenExport> =>
  request.format === 'triton' ? writeTriton(request) : writeOnnx(request);
