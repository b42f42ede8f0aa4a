/** Writes files as torch.save does, and broken ones as it never would, for tests of their reader. */

/** A value to pickle; tuples, names, calls and storages have no form of their own in JavaScript. */
export type Picklable =
  | null
  | boolean
  | number
  | string
  | readonly Picklable[]
  | ReadonlyMap<Picklable, Picklable>
  | { readonly tuple: readonly Picklable[] }
  | { readonly global: string }
  | { readonly call: Picklable; readonly args: Picklable }
  | { readonly persistent: Picklable }
  /** Bytes of the pickle itself. */
  | { readonly raw: readonly number[] };

const uint32 = (value: number): number[] => [0, 8, 16, 24].map((shift) => (value >>> shift) & 255);

const text = (value: string): number[] => {
  const bytes = [...new TextEncoder().encode(value)];
  return [0x58, ...uint32(bytes.length), ...bytes];
};

const encode = (value: Picklable): number[] => {
  if (value === null) return [0x4e];
  if (typeof value === 'boolean') return [value ? 0x88 : 0x89];
  if (typeof value === 'string') return text(value);
  if (typeof value === 'number') {
    if (Number.isInteger(value) && Math.abs(value) < 2 ** 31) return [0x4a, ...uint32(value)];
    return [0x47, ...new Uint8Array(new Float64Array([value]).buffer).reverse()];
  }
  if (value instanceof Map) {
    return [0x7d, 0x28, ...[...value].flat().flatMap(encode), 0x75];
  }
  if (Array.isArray(value)) return [0x5d, 0x28, ...value.flatMap(encode), 0x65];
  const other = value as Exclude<
    Picklable,
    null | boolean | number | string | readonly Picklable[]
  >;
  if ('tuple' in other) return [0x28, ...other.tuple.flatMap(encode), 0x74];
  if ('call' in other) return [...encode(other.call), ...encode(other.args), 0x52];
  if ('persistent' in other) return [...encode(other.persistent), 0x51];
  if ('raw' in other) return [...other.raw];
  const [module, name] = (other as { global: string }).global.split(' ') as [string, string];
  return [0x63, ...new TextEncoder().encode(`${module}\n${name}\n`)];
};

/** A pickle of protocol 2. */
export const pickleOf = (value: Picklable): Uint8Array =>
  Uint8Array.from([0x80, 2, ...encode(value), 0x2e]);

export interface StorageClaims {
  readonly type?: string;
  readonly key?: string;
  readonly count?: number;
  readonly offset?: number;
  readonly strides?: readonly number[];
}

/** A tensor of torch.float32 over `data/KEY`. */
export const tensorOf = (
  shape: readonly number[],
  key: string,
  claims: StorageClaims = {},
): Picklable => {
  const steps = shape.map((_, i) => shape.slice(i + 1).reduce((a, b) => a * b, 1));
  const { type = 'FloatStorage', count = shape.reduce((a, b) => a * b, 1) } = claims;
  const id = ['storage', { global: `torch ${type}` }, claims.key ?? key, 'cpu', count];
  return {
    call: { global: 'torch._utils _rebuild_tensor_v2' },
    args: {
      tuple: [
        { persistent: { tuple: id } },
        claims.offset ?? 0,
        { tuple: shape },
        { tuple: claims.strides ?? steps },
        false,
        { call: { global: 'collections OrderedDict' }, args: { tuple: [] } },
      ],
    },
  };
};

export interface ArchiveEntry {
  readonly name: string;
  readonly data: Uint8Array;
  readonly method?: number;
  readonly flags?: number;
  /** What the directory says instead of the truth. */
  readonly claims?: { readonly size?: number; readonly stored?: number; readonly offset?: number };
  /** The name in the entry's own header. */
  readonly ownName?: string;
}

export interface ArchiveOptions {
  /** Writes sizes and places in 64 bits. */
  readonly zip64?: boolean;
  readonly comment?: string;
  /** Entries that the end record claims. */
  readonly count?: number;
  /** Appended to the directory. */
  readonly trailing?: Uint8Array;
}

const fields = (...parts: readonly (readonly [2 | 4 | 8, number])[]): Buffer => {
  const buffer = Buffer.alloc(parts.reduce((sum, [size]) => sum + size, 0));
  let at = 0;
  for (const [size, value] of parts) {
    if (size === 8) buffer.writeBigUInt64LE(BigInt(value), at);
    else buffer.writeUIntLE(value, at, size);
    at += size;
  }
  return buffer;
};

const ALIGNMENT = 64;

/** Ends on a multiple of 64 bytes, by an extra field, so that the data begins on one. */
const localHeader = (entry: ArchiveEntry, place: number): Buffer => {
  const { name, data, method = 0, flags = 0, ownName = name } = entry;
  const size = data.length;
  const fixedBytes = 30 + Buffer.byteLength(ownName) + 4;
  const padding = (ALIGNMENT - ((place + fixedBytes) % ALIGNMENT)) % ALIGNMENT;
  return Buffer.concat([
    fields([4, 0x04034b50], [2, 20], [2, flags], [2, method], [4, 0], [4, 0], [4, size], [4, size]),
    fields([2, Buffer.byteLength(ownName)], [2, 4 + padding]),
    Buffer.from(ownName),
    fields([2, 0x4246], [2, padding]),
    Buffer.alloc(padding),
  ]);
};

const listing = (entry: ArchiveEntry, place: number, zip64: boolean): Buffer => {
  const { name, data, method = 0, flags = 0, claims = {} } = entry;
  const size = claims.size ?? data.length;
  const stored = claims.stored ?? size;
  const offset = claims.offset ?? place;
  const wide = fields([2, 1], [2, 24], [8, size], [8, stored], [8, offset]);
  const extra = zip64 ? wide : Buffer.alloc(0);
  const narrow = (value: number): [4, number] => [4, zip64 ? 0xffffffff : value];
  return Buffer.concat([
    fields([4, 0x02014b50], [2, 20], [2, 20], [2, flags], [2, method], [4, 0], [4, 0]),
    fields(narrow(stored), narrow(size), [2, Buffer.byteLength(name)], [2, extra.length]),
    fields([2, 0], [2, 0], [2, 0], [4, 0], narrow(offset)),
    Buffer.from(name),
    extra,
  ]);
};

/** A zip archive; honest unless an entry or the options say otherwise. */
export const zipOf = (
  entries: readonly ArchiveEntry[],
  options: ArchiveOptions = {},
): Uint8Array => {
  const {
    zip64 = false,
    comment = '',
    count = entries.length,
    trailing = new Uint8Array(),
  } = options;
  const parts: Uint8Array[] = [];
  let at = 0;
  const listed = entries.map((entry) => {
    const place = at;
    const header = localHeader(entry, place);
    parts.push(header, entry.data);
    at += header.length + entry.data.length;
    return listing(entry, place, zip64);
  });
  const directory = Buffer.concat([...listed, trailing]);
  const wideEnd = Buffer.concat([
    fields([4, 0x06064b50], [8, 44], [2, 45], [2, 45], [4, 0], [4, 0], [8, count], [8, count]),
    fields([8, directory.length], [8, at]),
    fields([4, 0x07064b50], [4, 0], [8, at + directory.length], [4, 1]),
  ]);
  const narrow = (size: 2 | 4, value: number): [2 | 4, number] => [
    size,
    zip64 ? 2 ** (8 * size) - 1 : value,
  ];
  return Buffer.concat([
    ...parts,
    directory,
    zip64 ? wideEnd : Buffer.alloc(0),
    fields([4, 0x06054b50], [2, 0], [2, 0], narrow(2, count), narrow(2, count)),
    fields(narrow(4, directory.length), narrow(4, at), [2, Buffer.byteLength(comment)]),
    Buffer.from(comment),
  ]);
};

/** A file of torch.save: a value, and the numbers of its storages by their keys. */
export const torchFileOf = (
  value: Picklable,
  storages: Readonly<Record<string, Float32Array>> = {},
  options: ArchiveOptions = {},
): Uint8Array =>
  zipOf(
    [
      { name: 'archive/data.pkl', data: pickleOf(value) },
      ...Object.entries(storages).map(([key, { buffer, byteOffset, byteLength }]) => ({
        name: `archive/data/${key}`,
        data: new Uint8Array(buffer, byteOffset, byteLength),
      })),
    ],
    options,
  );
