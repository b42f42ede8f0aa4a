/** Collects the ONNX nodes and initializers of one graph, hands out names, and computes sizes at run time. */
import {
  asLinear,
  type Dim,
  dimEquals,
  dimText,
  type LinearDim,
  multiplyDims,
  type SymbolicDim,
} from '../dimension.ts';
import type { DType, TensorData } from '../dtype.ts';
import type { Graph } from '../graph.ts';
import { misfit } from '../misfit.ts';
import type { InputNode, Node } from '../node.ts';
import type { Attributes, ExternalData, OnnxInitializer, OnnxNode } from './messages.ts';

export interface EmitOptions {
  readonly attributes?: Attributes;
  readonly domain?: string;
}

/** Where a symbol can be read: an axis of an input whose size is coefficient * symbol + offset. */
interface SymbolSource {
  readonly input: string;
  readonly axis: number;
  readonly dim: LinearDim;
}

export class Emitter {
  readonly nodes: OnnxNode[] = [];
  readonly initializers: OnnxInitializer[];
  readonly #names = new Map<Node, string>();
  readonly #sizes: Map<string, string>;
  readonly #constants: Map<string, string>;
  readonly #sources: Map<string, SymbolSource>;
  readonly #parameters: Map<string, string>;
  readonly #loops = new Map<Graph, readonly string[]>();
  readonly #taken: Set<string>;
  readonly #counter: { next: number };

  /**
   * @param outputs names that only the graph's outputs may bear
   * @param outer the emitter of the graph around this one, whose values and initializers it sees
   */
  constructor(inputs: readonly InputNode[], outputs: Iterable<string>, outer?: Emitter) {
    this.initializers = outer?.initializers ?? [];
    this.#constants = outer ? outer.#constants : new Map();
    this.#parameters = outer ? outer.#parameters : new Map();
    this.#taken = outer ? outer.#taken : new Set(outputs);
    this.#counter = outer ? outer.#counter : { next: 0 };
    // What is computed in here is not seen out there.
    this.#sizes = new Map(outer ? outer.#sizes : []);
    this.#sources = new Map(outer ? outer.#sources : []);
    for (const node of inputs) {
      if (this.#taken.has(node.name)) misfit(`onnx: '${node.name}' names two inputs or outputs`);
      this.#taken.add(node.name);
      this.learnSizes(node.name, node.shape);
    }
  }

  /** Takes the value of a name for what tells the symbols of its shape that nothing told before. */
  learnSizes(name: string, shape: readonly Dim[]): void {
    shape.forEach((size, axis) => {
      const dim = asLinear(size);
      if (dim && !this.#sources.has(dim.name)) {
        this.#sources.set(dim.name, { input: name, axis, dim });
      }
    });
  }

  nameOf(node: Node): string {
    return this.#names.get(node) ?? misfit(`onnx: ${node.kind} was not emitted before its use`);
  }

  setName(node: Node, name: string): void {
    this.#names.set(node, name);
  }

  /** A name that no other value has. */
  fresh(): string {
    return this.#free(`t${this.#counter.next++}`);
  }

  /** The wanted name, or a longer one where a checkpoint or a family already uses it. */
  #free(wanted: string): string {
    let name = wanted;
    while (this.#taken.has(name)) name += "'";
    this.#taken.add(name);
    return name;
  }

  /** The results of a loop: emitted for the first of its parts, known to the others. */
  loop(body: Graph, emit: () => readonly string[]): readonly string[] {
    const results = this.#loops.get(body) ?? emit();
    this.#loops.set(body, results);
    return results;
  }

  /** Appends one ONNX node with a single output and returns the output's name. */
  emit(opType: string, inputs: readonly string[], options: EmitOptions = {}): string {
    return this.emitAll(opType, inputs, 1, options)[0]!;
  }

  /** Appends one ONNX node with `count` outputs and returns their names. */
  emitAll(
    opType: string,
    inputs: readonly string[],
    count: number,
    options: EmitOptions = {},
  ): string[] {
    const outputs = Array.from({ length: count }, () => this.fresh());
    const { attributes = {}, domain = '' } = options;
    this.nodes.push({ opType, domain, inputs, outputs, attributes });
    return outputs;
  }

  /** A tensor stored in the model file. */
  initializer(data: TensorData, dtype: DType, shape: readonly number[]): string {
    const name = this.fresh();
    this.initializers.push({ name, dtype, shape, data });
    return name;
  }

  /** A tensor stored beside the model file; named as in the checkpoint where that name is free. */
  external(wanted: string, dtype: DType, shape: readonly number[], data: ExternalData): string {
    const known = this.#parameters.get(wanted);
    if (known !== undefined) return known;
    const name = this.#free(wanted);
    this.#parameters.set(wanted, name);
    this.initializers.push({ name, dtype, shape, data });
    return name;
  }

  /** An int64 vector; equal ones are stored once. */
  integers(values: readonly (number | bigint)[]): string {
    const key = values.join(',');
    const known = this.#constants.get(key);
    if (known) return known;
    const data = BigInt64Array.from(values, (value) => BigInt(value));
    const name = this.initializer(data, 'int64', [values.length]);
    this.#constants.set(key, name);
    return name;
  }

  #symbol(name: string): string {
    const source = this.#sources.get(name) ?? misfit(`onnx: no input tells the size '${name}'`);
    const { axis, dim } = source;
    let size = this.emit('Shape', [source.input], {
      attributes: { start: { int: axis }, end: { int: axis + 1 } },
    });
    if (dim.offset !== 0) size = this.emit('Sub', [size, this.integers([dim.offset])]);
    return dim.coefficient === 1
      ? size
      : this.emit('Div', [size, this.integers([dim.coefficient])]);
  }

  /** A size as an int64 tensor of shape [1]; computed from the inputs' shapes where it is symbolic. */
  size(dim: Dim): string {
    if (typeof dim === 'number') return this.integers([dim]);
    const known = this.#sizes.get(dim.text);
    if (known) return known;
    const computed = this.#compute(dim);
    this.#sizes.set(dim.text, computed);
    return computed;
  }

  #compute(dim: SymbolicDim): string {
    const only = dim.terms.length === 1 ? dim.terms[0]! : undefined;
    if (only?.coefficient === 1 && only.symbols.length === 1) return this.#symbol(only.symbols[0]!);
    const terms = dim.terms.map(({ coefficient, symbols }) => {
      const factors = symbols.map((name) =>
        this.size({ text: name, terms: [{ coefficient: 1, symbols: [name] }] }),
      );
      if (coefficient !== 1 || factors.length === 0) factors.unshift(this.integers([coefficient]));
      return factors.reduce((a, b) => this.emit('Mul', [a, b]));
    });
    return terms.reduce((a, b) => this.emit('Add', [a, b]));
  }

  /**
   * The operand of Reshape: plain numbers where they do (0 copies the axis of the same place, one -1 is
   * inferred), sizes computed at run time only beyond that.
   */
  reshapeTarget(from: readonly Dim[], to: readonly Dim[]): string {
    const plain = to.map((dim, i) => {
      if (typeof dim === 'number') return dim;
      return i < from.length && dimEquals(dim, from[i]!) ? 0 : -1;
    });
    return plain.filter((dim) => dim === -1).length <= 1 ? this.integers(plain) : this.sizes(to);
  }

  /** 0 ... size-1, int64 [size]. */
  range(size: Dim): string {
    const zero = this.initializer(BigInt64Array.of(0n), 'int64', []);
    const one = this.initializer(BigInt64Array.of(1n), 'int64', []);
    return this.emit('Range', [zero, this.emit('Squeeze', [this.size(size)]), one]);
  }

  /** The number of every place of a shape, counted row by row: int64 of that shape. */
  places(shape: readonly Dim[]): string {
    const key = `places ${shape.map(dimText).join(',')}`;
    const known = this.#sizes.get(key);
    if (known) return known;
    const numbers = this.emit('Reshape', [this.range(multiplyDims(...shape)), this.sizes(shape)]);
    this.#sizes.set(key, numbers);
    return numbers;
  }

  /** Sizes as one int64 vector. */
  sizes(dims: readonly Dim[]): string {
    if (dims.every((dim) => typeof dim === 'number')) return this.integers(dims);
    const key = dims.map(dimText).join(',');
    const known = this.#sizes.get(key);
    if (known) return known;
    const joined =
      dims.length === 1
        ? this.size(dims[0]!)
        : this.emit(
            'Concat',
            dims.map((dim) => this.size(dim)),
            { attributes: { axis: { int: 0 } } },
          );
    this.#sizes.set(key, joined);
    return joined;
  }
}
