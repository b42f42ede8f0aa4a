/** A daemon asked through its own OpenAPI document: no answer passes that the document does not describe. */
import { Ajv2020 as Ajv, type ValidateFunction } from 'ajv/dist/2020.js';
import { expect } from 'vitest';

type Fields = Readonly<Record<string, unknown>>;

interface Described {
  readonly requestBody?: { readonly content: Readonly<Record<string, unknown>> };
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, unknown>> }>
  >;
}

export interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
}

export interface Asked {
  readonly method: string;
  /** As the document has it: `/v1/models/{name}`. */
  readonly path: string;
  /** What stands in the braces; `?` has the query. */
  readonly at?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  readonly form?: FormData;
  readonly headers?: Readonly<Record<string, string>>;
  /** A body that the schema refuses as well. */
  readonly isBad?: boolean;
}

/** Fields that are not described are found: what is left open for the future is closed. */
const closed = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(closed);
  const own = Object.fromEntries(Object.entries(value).map(([key, one]) => [key, closed(one)]));
  const isObject = own.type === 'object' && typeof own.properties === 'object';
  return isObject && own.additionalProperties === undefined
    ? { ...own, additionalProperties: false }
    : own;
};

const withClosedSchemas = (document: Fields): Fields => {
  const { schemas, ...rest } = document.components as Fields;
  return { ...document, components: { ...rest, schemas: closed(schemas) } };
};

const pointer = (steps: readonly string[]): string =>
  steps.map((step) => step.replaceAll('~', '~0').replaceAll('/', '~1')).join('/');

/** The values of an answer that a schema speaks of: the whole, each line, or the data of each event. */
const valuesOf = (type: string, text: string): readonly unknown[] => {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  if (type === 'application/x-ndjson') return lines.map((line) => JSON.parse(line) as unknown);
  if (type === 'text/event-stream') {
    return lines
      .filter((line) => line.startsWith('data: '))
      .map((line) => JSON.parse(line.slice('data: '.length)) as unknown);
  }
  return [type === 'application/json' ? (JSON.parse(text) as unknown) : text];
};

export class Contract {
  readonly #url: string;
  readonly #document: Document;
  readonly #answers = new Ajv({ strict: false, validateFormats: false });
  readonly #bodies = new Ajv({ strict: false, validateFormats: false });
  readonly #seen = new Set<string>();

  constructor(url: string, document: Fields) {
    this.#url = url;
    this.#document = document as unknown as Document;
    this.#answers.addSchema(withClosedSchemas(document), 'document');
    this.#bodies.addSchema(document, 'document');
  }

  /** Method, path and status of all answers so far. */
  get seen(): ReadonlySet<string> {
    return this.#seen;
  }

  #validator(ajv: Ajv, steps: readonly string[]): ValidateFunction {
    const id = `document#/paths/${pointer(steps)}`;
    return ajv.getSchema(id) ?? ajv.compile({ $ref: id });
  }

  /** Asks, and holds both the body and the answer against the document; gives back the values of the answer. */
  async ask(asked: Asked): Promise<{ status: number; values: readonly unknown[] }> {
    const { method, path, at = {}, body, form, headers } = asked;
    const key = method.toLowerCase();
    const described = this.#document.paths[path]![key]!;
    if (body !== undefined) this.#checkBody(asked, [path, key, 'requestBody']);
    const place = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(at[name]!));
    const response = await fetch(`${this.#url}${place}${at['?'] ?? ''}`, {
      method,
      headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(form && { body: form }),
    });
    const text = await response.text();
    const status = String(response.status);
    const what = `${method} ${path} ${status} ${text.slice(0, 400)}`;
    expect(Object.keys(described.responses), what).toContain(status);
    this.#seen.add(`${method} ${path} ${status}`);
    const { content } = described.responses[status]!;
    if (!content) {
      expect(text, what).toBe('');
      return { status: response.status, values: [] };
    }
    const type = response.headers.get('content-type')!.split(';')[0]!;
    expect(Object.keys(content), what).toContain('*/*' in content ? '*/*' : type);
    const values = valuesOf(type, text);
    if (!('*/*' in content)) {
      const steps = [path, key, 'responses', status, 'content', type, 'schema'];
      const validate = this.#validator(this.#answers, steps);
      for (const value of values) {
        const isRight = validate(value);
        expect(isRight, `${JSON.stringify(validate.errors)} ${what}`).toBe(true);
      }
    }
    return { status: response.status, values };
  }

  #checkBody({ body, isBad = false }: Asked, steps: readonly string[]): void {
    const validate = this.#validator(this.#bodies, [
      ...steps,
      'content',
      'application/json',
      'schema',
    ]);
    // As it is sent: without what is undefined.
    const isRight = validate(JSON.parse(JSON.stringify(body)));
    expect(isRight, JSON.stringify([steps, validate.errors, body])).toBe(!isBad);
  }
}
