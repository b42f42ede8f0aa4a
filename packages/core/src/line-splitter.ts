export interface LineLimits {
  /** Longer lines are dropped whole, so that a writer without line ends cannot take all memory. */
  readonly maxLength?: number;
  /** Lines that begin otherwise are dropped as they come. */
  readonly startsWith?: string;
}

/**
 * Cuts a stream of UTF-8 bytes into lines.
 *
 * @example
 * const splitter = new LineSplitter();
 * splitter.push(Buffer.from('a\nb')); // ['a']
 * splitter.push(Buffer.from('c\n')); // ['bc']
 */
export class LineSplitter {
  readonly #decoder = new TextDecoder();
  readonly #maxLength: number;
  readonly #start: string | undefined;
  #parts: string[] = [];
  #length = 0;
  #isDropping = false;

  constructor({ maxLength = 512 * 1024 * 1024, startsWith }: LineLimits = {}) {
    this.#maxLength = maxLength;
    this.#start = startsWith;
  }

  push(chunk: Uint8Array): string[] {
    const lines: string[] = [];
    const text = this.#decoder.decode(chunk, { stream: true });
    let start = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      this.#append(text.slice(start, end));
      if (!this.#isDropping)
        lines.push(this.#parts.length === 1 ? this.#parts[0]! : this.#parts.join(''));
      this.#reset();
      start = end + 1;
    }
    this.#append(text.slice(start));
    return lines;
  }

  #append(text: string): void {
    const isFirst = this.#length === 0 && text.length > 0;
    const isOther = isFirst && this.#start !== undefined && !text.startsWith(this.#start);
    this.#length += text.length;
    if (isOther || this.#length > this.#maxLength) {
      this.#isDropping = true;
      this.#parts = [];
    }
    if (!this.#isDropping && text.length > 0) this.#parts.push(text);
  }

  #reset(): void {
    this.#parts = [];
    this.#length = 0;
    this.#isDropping = false;
  }
}
