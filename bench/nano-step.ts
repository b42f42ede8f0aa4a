/**
 * A training step of tollama-nano (forward, backward, clipping, AdamW on all weights) beside the same network in
 * PyTorch, from the same weights and numbers; the losses of the first step must agree.
 *
 *   node bench/nano-step.ts --python ENV/bin/python [--rounds 5] [--steps 8] [--threads 2] [--batch 256]
 */
import { parseArgs } from 'node:util';
import { declaring, openCheckpoint, readTensor, type TensorValue } from '@tollama/graph';
import { ANCHORS } from '@tollama/models/families/tollama-nano/anchors';
import { NanoConfig } from '@tollama/models/families/tollama-nano/network';
import { CONTEXT_FEATURES, STEP_FEATURES } from '@tollama/models/families/tollama-nano/prepare';
import { NANO_FOLDER } from '@tollama/models/in-the-box';
import { openTrainingStep } from '@tollama/training';
import { nanoLossGraph } from '@tollama/training/nano/loss-graph';
import config from '../packages/models/pretrained/tollama-nano/config.json' with { type: 'json' };
import { compareSteps, openPeer, oursOf } from './paired-steps.ts';

const { values } = parseArgs({
  options: {
    python: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    steps: { type: 'string', default: '8' },
    threads: { type: 'string', default: '2' },
    batch: { type: 'string', default: '256' },
  },
});
const [rounds, steps, threads, batch] = [
  values.rounds,
  values.steps,
  values.threads,
  values.batch,
].map(Number) as [number, number, number, number];
const HORIZON = 16;
const LEARNING_RATE = 1e-3;

const PEER = `
import json, sys, time, torch
from safetensors.torch import load_file
spec = json.loads(sys.argv[1])
torch.set_num_threads(spec["threads"])
w = {k: torch.nn.Parameter(v) for k, v in load_file(spec["model"]).items()}
decayed = [p for p in w.values() if p.dim() > 1]
plain = [p for p in w.values() if p.dim() == 1]
optimizer = torch.optim.AdamW([{"params": decayed, "weight_decay": 0.01}, {"params": plain, "weight_decay": 0.0}], lr=spec["rate"])
F = torch.nn.functional
def wave(shape, a):
    n = torch.arange(torch.Size(shape).numel(), dtype=torch.float64)
    return torch.sin(n * a).float().reshape(shape)
B, S, N = spec["batch"], spec["horizon"], spec["anchors"]
context, deviations, target = wave([B, spec["context"]], 0.37), wave([B, S, N], 0.53), wave([B, S], 0.71)
features = wave([B, S, spec["features"]], 0.29)
levels = torch.arange(1, 10) / 10
normal = torch.tensor([-1.6062, -1.0548, -0.6572, -0.3175, 0, 0.3175, 0.6572, 1.0548, 1.6062])
lin = lambda x, name: F.linear(x, w[name + ".weight"], w[name + ".bias"])
def residual(x, name):
    h = F.rms_norm(x, (x.shape[-1],), w[name + ".norm.weight"], 1e-6)
    return x + lin(torch.relu(lin(h, name + ".up")), name + ".down")
def forward():
    whole = residual(residual(lin(context, "context.embed"), "context.layers.0"), "context.layers.1")
    x = lin(features, "step.embed") + whole[:, None]
    for i in range(spec["layers"]):
        x = residual(x, f"step.layers.{i}")
    head = lin(F.rms_norm(x, (x.shape[-1],), w["head.norm.weight"], 1e-6), "head.out")
    gates = torch.softmax(features[..., N : 2 * N] * -4 + head[..., :N], -1)
    mixture = (gates * deviations).sum(-1, keepdim=True)
    spread = torch.exp(head[..., N + 1 : N + 2] * 0.5)
    quantiles = mixture + head[..., N : N + 1] + (head[..., N + 2 :] + normal) * spread
    error = target[..., None] - quantiles
    return torch.maximum(error * 2 * levels, error * (2 * levels - 2)).mean()
print(json.dumps({"parameters": sum(p.numel() for p in w.values())}), flush=True)
for line in sys.stdin:
    times, losses, cpu = [], [], time.process_time()
    for _ in range(int(line)):
        start = time.perf_counter()
        loss = forward()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(w.values(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        value = float(loss.detach())
        times.append((time.perf_counter() - start) * 1000)
        losses.append(value)
    cpu = (time.process_time() - cpu) * 1000 / len(times)
    print(json.dumps({"times": times, "losses": losses, "cpu": cpu}), flush=True)
`;

const wave = (dims: readonly number[], a: number): TensorValue => ({
  dtype: 'float32',
  dims,
  data: Float32Array.from({ length: dims.reduce((x, y) => x * y, 1) }, (_, n) => Math.sin(n * a)),
});

const checkpoint = await openCheckpoint(NANO_FOLDER);
const trainable = new Map<string, TensorValue>();
for (const [name, tensor] of checkpoint.tensors)
  trainable.set(name, { dtype: 'float32', dims: tensor.shape, data: await readTensor(tensor) });
const nano = NanoConfig.parse(config);
await using step = await openTrainingStep({
  graph: nanoLossGraph(nano, declaring().weights),
  trainable,
  optimizer: { kind: 'adamw', weightDecay: 0.01 },
  clipNorm: 1,
  isDecayed: (_, shape) => shape.length > 1,
  threads,
});
const feeds = {
  context: wave([batch, CONTEXT_FEATURES], 0.37),
  features: wave([batch, HORIZON, STEP_FEATURES], 0.29),
  deviations: wave([batch, HORIZON, ANCHORS.length], 0.53),
  target: wave([batch, HORIZON], 0.71),
  weight: {
    dtype: 'float32' as const,
    dims: [batch, HORIZON],
    data: new Float32Array(batch * HORIZON).fill(1),
  },
};
const peer =
  values.python === undefined
    ? undefined
    : await openPeer(values.python, PEER, {
        model: `${NANO_FOLDER}/model.safetensors`,
        threads,
        batch,
        rate: LEARNING_RATE,
        horizon: HORIZON,
        layers: nano.num_layers,
        anchors: ANCHORS.length,
        context: CONTEXT_FEATURES,
        features: STEP_FEATURES,
      });
console.log(
  JSON.stringify(await compareSteps(oursOf(step, feeds, LEARNING_RATE), peer, { rounds, steps })),
);
peer?.close();
