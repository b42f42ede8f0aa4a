/**
 * A training step of Chronos-Bolt with LoRA on q and v, beside the same step in PyTorch (forward, backward, AdamW
 * on the LoRA factors; the loss is the package's own, PEFT's layers). The sides alternate in blocks of steps, and
 * the medians of all steps are compared; the losses of the first step must agree. On a machine that others use,
 * --threads 1 and the time of the processor (median_cpu_ms) tell more than the clock.
 *
 *   node bench/training-step.ts --model FOLDER --python ENV/bin/python [--rounds 5] [--steps 6] [--threads 2]
 *                               [--batch 32] [--context 512] [--rank 8] [--mode lora|head|full]
 *
 * Without --python our side alone is timed. FOLDER holds a checkpoint, such as `tollama create NAME --random
 * --config bench/configs/chronos-bolt-tiny.json` makes.
 */
import { parseArgs } from 'node:util';
import { JobOptions } from '@tollama/core/training-job';
import { lossFeeds, openModelParts, openTrainingStep, trainableModel } from '@tollama/training';
import { type Block, compareSteps, openPeer, oursOf } from './paired-steps.ts';

const { values } = parseArgs({
  options: {
    model: { type: 'string' },
    python: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    steps: { type: 'string', default: '6' },
    threads: { type: 'string', default: '2' },
    batch: { type: 'string', default: '32' },
    context: { type: 'string', default: '512' },
    rank: { type: 'string', default: '8' },
    mode: { type: 'string', default: 'lora' },
    profile: { type: 'string' },
  },
});
if (!values.model) {
  console.error('give --model FOLDER, and --python for the other side');
  process.exit(2);
}

const [rounds, steps, threads, batch, context, rank] = [
  values.rounds,
  values.steps,
  values.threads,
  values.batch,
  values.context,
  values.rank,
].map(Number) as [number, number, number, number, number, number];
const HORIZON = 64;
const LEARNING_RATE = 1e-4;

/** Reads a line with the number of steps, answers with their times and losses. */
const PEER = `
import json, sys, time, torch
from chronos.chronos_bolt import ChronosBoltModelForForecasting
spec = json.loads(sys.argv[1])
torch.set_num_threads(spec["threads"])
model = ChronosBoltModelForForecasting.from_pretrained(spec["model"]).eval()
if spec["mode"] == "lora":
    from peft import LoraConfig, get_peft_model
    model.get_input_embeddings = lambda: model.shared
    model = get_peft_model(model, LoraConfig(r=spec["rank"], lora_alpha=spec["rank"], target_modules=["q", "v"])).eval()
elif spec["mode"] == "head":
    for name, p in model.named_parameters():
        p.requires_grad = name.startswith("output_patch_embedding")
chosen = [p for p in model.parameters() if p.requires_grad]
optimizer = torch.optim.AdamW(chosen, lr=spec["rate"], weight_decay=0.01)
t = torch.arange(spec["context"] + spec["horizon"], dtype=torch.float64)
i = torch.arange(spec["batch"], dtype=torch.float64)[:, None]
rows = (10 * torch.sin(2 * torch.pi * t / 24 + i) + 0.02 * t + torch.sin(t * 12.9898 + i * 78.233)).float()
x, y = rows[:, : spec["context"]], rows[:, spec["context"] :]
print(json.dumps({"parameters": sum(p.numel() for p in chosen)}), flush=True)
for line in sys.stdin:
    times, losses, cpu = [], [], time.process_time()
    for _ in range(int(line)):
        start = time.perf_counter()
        loss = model(context=x, target=y.clone()).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        value = float(loss.detach())
        times.append((time.perf_counter() - start) * 1000)
        losses.append(value)
    cpu = (time.process_time() - cpu) * 1000 / len(times)
    print(json.dumps({"times": times, "losses": losses, "cpu": cpu}), flush=True)
`;

/** Seasons, a trend and a little noise, another one for each series; the same numbers as the peer's. */
const row = (i: number): Float32Array =>
  Float32Array.from(
    { length: context + HORIZON },
    (_, t) =>
      10 * Math.sin((2 * Math.PI * t) / 24 + i) + 0.02 * t + Math.sin(t * 12.9898 + i * 78.233),
  );

const openOurs = async () => {
  const parts = await openModelParts(values.model!, { horizon: HORIZON });
  const mode = values.mode as 'lora' | 'head' | 'full';
  const options = { adapter: mode, rank, lora_alpha: rank, target_modules: ['q', 'v'] };
  const step = await openTrainingStep({
    ...(await trainableModel(parts, JobOptions.parse(options))),
    checkpoint: parts.checkpoint,
    optimizer: { kind: 'adamw', weightDecay: 0.01 },
    threads,
    ...(values.profile !== undefined && { profile: values.profile }),
  });
  const rows = Array.from({ length: batch }, (_, i) => row(i));
  const join = (parts: readonly Float32Array[]): Float32Array =>
    Float32Array.from(parts.flatMap((part) => [...part]));
  const windows = {
    contexts: join(rows.map((whole) => whole.subarray(0, context))),
    labels: join(rows.map((whole) => whole.subarray(context))),
    size: batch,
    context,
    horizon: HORIZON,
  };
  const feeds = lossFeeds(windows, parts.training);
  const side = oursOf(step, feeds, LEARNING_RATE);
  const run = async (count: number): Promise<Block> => {
    const block = await side.run(count);
    // The package sums over the horizon, we take the mean.
    return { ...block, losses: block.losses.map((loss) => loss * HORIZON) };
  };
  return { step, run };
};

const ours = await openOurs();
const spec = { model: values.model, threads, batch, context, horizon: HORIZON, rank };
const peer =
  values.python === undefined
    ? undefined
    : await openPeer(values.python, PEER, { ...spec, mode: values.mode, rate: LEARNING_RATE });
const parameters = [...ours.step.parameters.values()].reduce(
  (sum, shape) => sum + shape.reduce((a, b) => a * b, 1),
  0,
);
const result = await compareSteps(ours, peer, { rounds, steps });
console.log(JSON.stringify({ mode: values.mode, parameters, ...result }));
peer?.close();
await ours.step[Symbol.asyncDispose]();
