/**
 * Cuts a stream of UTF-8 bytes into lines. A line longer than the limit is dropped whole, so that a
 * writer without line ends cannot take all memory.
 *
 * @example
 * const splitter = new LineSplitter();
 * splitter.push(Buffer.from('a\nb')); // ['a']
 * splitter.push(Buffer.from('c\n')); // ['bc']
 */
export class LineSplitter {
  readonly #decoder = new TextDecoder();
  readonly #maxLength: number;
  #parts: string[] = [];
  #length = 0;
  #isDropping = false;

  constructor(maxLength = 512 * 1024 * 1024) {
    this.#maxLength = maxLength;
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
    this.#length += text.length;
    if (this.#length > this.#maxLength) {
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
