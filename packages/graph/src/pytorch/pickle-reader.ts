/** Numbers and texts as a pickle stores them (pickletools.py). */
import type { Refuse } from './zip-directory.ts';

/** Longer integers than any size, seed or hash. */
const MAX_INTEGER_BYTES = 64;

/** Walks over the bytes of a pickle; reading past their end is refused. */
export class PickleReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #refuse: Refuse;
  /** The place of the next byte. */
  at = 0;

  constructor(bytes: Uint8Array, refuse: Refuse) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#refuse = refuse;
  }

  #take(count: number): number {
    const from = this.at;
    if (count > this.#bytes.length - from) this.#refuse('its pickle ends early');
    this.at += count;
    return from;
  }

  uint8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  uint16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }

  int32(): number {
    return this.#view.getInt32(this.#take(4), true);
  }

  uint32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  /** Of a length or count; larger ones than any file are refused. */
  uint64(): number {
    const value = this.#view.getBigUint64(this.#take(8), true);
    return value > BigInt(this.#bytes.length)
      ? this.#refuse('its pickle ends early')
      : Number(value);
  }

  float64(): number {
    return this.#view.getFloat64(this.#take(8));
  }

  bytes(count: number): Uint8Array {
    const from = this.#take(count);
    return this.#bytes.subarray(from, from + count);
  }

  text(count: number): string {
    const bytes = this.bytes(count);
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    } catch {
      return this.#refuse('a text in its pickle is not UTF-8');
    }
  }

  /** Up to the end of the line. */
  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.at);
    if (end < 0) this.#refuse('its pickle ends early');
    const text = this.text(end - this.at);
    this.at++;
    return text;
  }

  /** Two's complement, the lowest byte first. */
  integer(count: number): number | bigint {
    if (count > MAX_INTEGER_BYTES) this.#refuse(`its pickle has an integer of ${count} bytes`);
    let value = 0n;
    for (const byte of this.bytes(count).toReversed()) value = (value << 8n) | BigInt(byte);
    value = BigInt.asIntN(8 * count, value);
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }
}
