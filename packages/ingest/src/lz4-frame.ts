/**
 * Decoder of LZ4 frames, which Arrow files are compressed with by default.
 * Formats: LZ4 Frame Format 1.6 and LZ4 Block Format of the lz4 project's documentation.
 */

const MAGIC = 0x184d2204;
const UNCOMPRESSED = 0x80000000;
const LEAST_MATCH = 4;

const damaged = (what: string): never => {
  throw new RangeError(`LZ4: ${what}`);
};

/** A buffer that grows; matches reach back into what was written. */
class Output {
  bytes: Uint8Array;
  length = 0;

  constructor(capacity: number) {
    this.bytes = new Uint8Array(capacity);
  }

  reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(2 * this.bytes.length, this.length + count));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  append(part: Uint8Array): void {
    this.reserve(part.length);
    this.bytes.set(part, this.length);
    this.length += part.length;
  }

  repeat(offset: number, count: number): void {
    if (offset === 0 || offset > this.length) damaged('a match reaches before the start');
    this.reserve(count);
    const { bytes, length } = this;
    // A match may overlap what it writes: byte by byte, as the format means it.
    if (offset >= count) bytes.copyWithin(length, length - offset, length - offset + count);
    else for (let i = 0; i < count; i++) bytes[length + i] = bytes[length + i - offset]!;
    this.length += count;
  }
}

const decodeBlock = (block: Uint8Array, output: Output): void => {
  let at = 0;
  const next = (): number => block[at++] ?? damaged('a block is cut off');
  const lengthFrom = (nibble: number): number => {
    let length = nibble;
    if (nibble === 15) {
      let more: number;
      do {
        more = next();
        length += more;
      } while (more === 255);
    }
    return length;
  };
  while (at < block.length) {
    const token = next();
    const literals = lengthFrom(token >> 4);
    if (at + literals > block.length) damaged('a block is cut off');
    output.append(block.subarray(at, at + literals));
    at += literals;
    // The last sequence is literals alone.
    if (at >= block.length) return;
    const offset = next() | (next() << 8);
    output.repeat(offset, lengthFrom(token & 15) + LEAST_MATCH);
  }
};

/** @throws RangeError for data that are no whole frame */
export const decodeLz4Frame = (input: Uint8Array): Uint8Array => {
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength);
  if (input.length < 7 || view.getUint32(0, true) !== MAGIC) damaged('no frame begins here');
  const flags = view.getUint8(4);
  const [hasBlockChecksum, hasSize, hasDictionary] = [flags & 16, flags & 8, flags & 1];
  if (hasDictionary) damaged('a frame needs a dictionary');
  let at = 6;
  const size = hasSize ? Number(view.getBigUint64(at, true)) : 4 * input.length;
  // A header may say anything: the buffer grows to what is really there.
  const output = new Output(Math.min(size, 256 * input.length + 64));
  at += (hasSize ? 8 : 0) + 1;
  for (;;) {
    if (at + 4 > input.length) damaged('a frame is cut off');
    const head = view.getUint32(at, true);
    at += 4;
    if (head === 0) break;
    const length = head & ~UNCOMPRESSED;
    if (at + length > input.length) damaged('a frame is cut off');
    const block = input.subarray(at, at + length);
    if (head >= UNCOMPRESSED) output.append(block);
    else decodeBlock(block, output);
    at += length + (hasBlockChecksum ? 4 : 0);
  }
  if (hasSize && output.length !== size) damaged('a frame has another size than it says');
  return output.bytes.subarray(0, output.length);
};
