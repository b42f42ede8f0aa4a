/** Bars and spinners on stderr; nothing but plain lines where stderr is no terminal. */
import { humanBytes, humanDuration } from './human.ts';

export type ProgressMode = 'auto' | 'on' | 'off';

/** One thing that takes time. */
export interface Progress {
  /** Says what is going on. */
  status(text: string): void;
  /** Bytes of a transfer. */
  bytes(label: string, completed: number, total: number): void;
  /** Leaves the last line as it is. */
  stop(): void;
}

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const FRAME_MS = 80;
const SAMPLES = 10;
const BAR_WIDTH = 24;

/** Bytes a second over the last samples. */
class Rate {
  readonly #samples: (readonly [atMs: number, bytes: number])[] = [];

  add(bytes: number): void {
    this.#samples.push([performance.now(), bytes]);
    if (this.#samples.length > SAMPLES) this.#samples.shift();
  }

  get bytesPerSecond(): number {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (!first || !last || last[0] === first[0]) return 0;
    return ((last[1] - first[1]) / (last[0] - first[0])) * 1000;
  }
}

const bar = (share: number): string => {
  const full = Math.round(share * BAR_WIDTH);
  return '█'.repeat(full) + '░'.repeat(BAR_WIDTH - full);
};

const transferLine = (label: string, completed: number, total: number, rate: number): string => {
  const share = total > 0 ? Math.min(1, completed / total) : 0;
  const amount = `${humanBytes(completed)}/${humanBytes(total)}`.padStart(15);
  const speed = rate > 0 ? `${humanBytes(rate)}/s`.padStart(11) : ''.padStart(11);
  const left =
    rate > 0 && total > completed ? humanDuration(((total - completed) / rate) * 1000) : '';
  return `${label} ${String(Math.floor(share * 100)).padStart(3)}% ${bar(share)} ${amount} ${speed}  ${left}`;
};

const silent: Progress = { status: () => {}, bytes: () => {}, stop: () => {} };

/** Plain lines, each said once. */
const lines = (): Progress => {
  let last = '';
  const say = (text: string): void => {
    if (text === last) return;
    last = text;
    process.stderr.write(`${text}\n`);
  };
  return { status: say, bytes: (label) => say(label), stop: () => {} };
};

const animated = (): Progress => {
  let text = '';
  let frame = 0;
  let shown = '';
  const rate = new Rate();
  const draw = (): void => {
    const width = (process.stderr.columns ?? 80) - 3;
    const line = `${FRAMES[frame++ % FRAMES.length]} ${text.slice(0, width)}`;
    process.stderr.write(`\r\u001b[K${line}`);
    shown = text;
  };
  const timer = setInterval(() => text && draw(), FRAME_MS);
  timer.unref();
  return {
    status(next) {
      text = next;
      draw();
    },
    bytes(label, completed, total) {
      rate.add(completed);
      text = transferLine(label, completed, total, rate.bytesPerSecond);
    },
    stop() {
      clearInterval(timer);
      if (shown) process.stderr.write('\r\u001b[K');
    },
  };
};

/** A progress display for stderr. */
export const createProgress = (mode: ProgressMode, isQuiet = false): Progress => {
  if (isQuiet || mode === 'off') return silent;
  if (mode === 'on' || (process.stderr.isTTY && process.env.TERM !== 'dumb')) return animated();
  return lines();
};
