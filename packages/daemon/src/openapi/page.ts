/** The OpenAPI document as a page for people: one file, no scripts, nothing from elsewhere. */

import { TAGS } from './operation.ts';
import type { Json } from './schemas.ts';

const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);

const STYLE = `
:root { color-scheme: light dark; --line: #8886; --quiet: #777; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 0 auto; padding: 1rem; }
h1, h2 { line-height: 1.2; } h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line); }
code { font: 0.9em ui-monospace, monospace; }
details { border: 1px solid var(--line); border-radius: 6px; margin: 0.5rem 0; padding: 0 0.75rem; }
pre { overflow-x: auto; font: 0.8rem/1.4 ui-monospace, monospace; }
summary { cursor: pointer; padding: 0.5rem 0; }
summary b { display: inline-block; min-width: 4.5rem; }
.quiet { color: var(--quiet); }
table { border-collapse: collapse; width: 100%; margin: 0.5rem 0 1rem; }
td { overflow-wrap: anywhere; }
th, td { text-align: left; vertical-align: top; padding: 0.25rem 0.75rem 0.25rem 0; border-top: 1px solid var(--line); }
`;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const nameOf = (reference: string): string => reference.split('/').at(-1)!;

const link = (name: string): string =>
  `<a href="#schema-${escapeHtml(name)}"><code>${escapeHtml(name)}</code></a>`;

const limits = (schema: Json): string =>
  [
    ['minimum', 'from'],
    ['exclusiveMinimum', 'above'],
    ['maximum', 'to'],
    ['exclusiveMaximum', 'below'],
    ['minItems', 'at least'],
    ['maxItems', 'at most'],
  ]
    .filter(([key]) => typeof schema[key!] === 'number' && Math.abs(Number(schema[key!])) < 1e15)
    .map(([key, word]) => ` ${word} ${Number(schema[key!])}`)
    .join(',');

/** A type in words. */
const typeOf = (schema: unknown): string => {
  if (!isObject(schema)) return 'any';
  if (typeof schema.$ref === 'string') return link(nameOf(schema.$ref));
  if (Array.isArray(schema.enum)) {
    return schema.enum
      .map((value) => `<code>${escapeHtml(JSON.stringify(value))}</code>`)
      .join(' | ');
  }
  if ('const' in schema) return `<code>${escapeHtml(JSON.stringify(schema.const))}</code>`;
  const options = schema.anyOf ?? schema.oneOf;
  if (Array.isArray(options)) return options.map(typeOf).join(' | ');
  if (schema.type === 'array') return `list of ${typeOf(schema.items)}${limits(schema)}`;
  if (schema.type === 'object' && isObject(schema.additionalProperties)) {
    return `names to ${typeOf(schema.additionalProperties)}`;
  }
  return `${escapeHtml(String(schema.type ?? 'any'))}${limits(schema)}`;
};

const fieldRow = (name: string, schema: unknown, isRequired: boolean): string => {
  const known = isObject(schema) ? schema : {};
  const notes = [
    isRequired ? 'required' : '',
    known.default === undefined
      ? ''
      : `default <code>${escapeHtml(JSON.stringify(known.default))}</code>`,
    typeof known.description === 'string' ? escapeHtml(known.description) : '',
  ];
  const note = notes.filter(Boolean).join('; ');
  return `<tr><td><code>${escapeHtml(name)}</code></td><td>${typeOf(schema)}</td><td class="quiet">${note}</td></tr>`;
};

const fieldTable = (schema: Json): string => {
  if (Array.isArray(schema.anyOf)) {
    return schema.anyOf
      .map((one: unknown) => (isObject(one) ? fieldTable(one) : ''))
      .join('<p>or</p>');
  }
  const { properties, required } = schema;
  if (!isObject(properties)) return `<p>${typeOf(schema)}</p>`;
  const needed = new Set(Array.isArray(required) ? (required as unknown[]) : []);
  const rows = Object.entries(properties).map(([name, own]) =>
    fieldRow(name, own, needed.has(name)),
  );
  return `<table><tr><th>field</th><th>type</th><th></th></tr>${rows.join('')}</table>`;
};

const exampleBlock = (content: Json): string =>
  content.example === undefined
    ? ''
    : `<details><summary>Example</summary><pre>${escapeHtml(JSON.stringify(content.example, null, 2))}</pre></details>`;

const contentRows = (content: unknown): string =>
  Object.entries(isObject(content) ? content : {})
    .map(([type, one]) =>
      isObject(one)
        ? `<div>${typeOf(one.schema)} <span class="quiet">${escapeHtml(type)}</span>${exampleBlock(one)}</div>`
        : '',
    )
    .join('');

const parameterRow = ({ name, in: where, description, required, schema }: Json): string => {
  const known = isObject(schema) ? schema : {};
  const told = { ...known, description: `${String(where)}; ${String(description)}` };
  return fieldRow(String(name), told, required === true);
};

const responseRow = (status: string, { description, content }: Json): string =>
  `<tr><td><code>${status}</code></td><td>${contentRows(content)}</td><td class="quiet">${escapeHtml(String(description))}</td></tr>`;

/** The answer in a row of its own; errors, which are told alike, together in one. */
const responseRows = (responses: Json): string => {
  const known = Object.entries(responses).filter(
    (entry): entry is [string, Json] => isObject(entry[1]) && entry[0] !== 'default',
  );
  const [good, bad] = [0, 1].map((kind) =>
    known.filter(([status]) => Number(status >= '400') === kind),
  ) as [[string, Json][], [string, Json][]];
  const errors = bad.map(
    ([status, { description }]) =>
      `<code>${status}</code> <span class="quiet">${escapeHtml(String(description))}</span>`,
  );
  const rows = good.map(([status, response]) => responseRow(status, response));
  if (!bad[0]) return rows.join('');
  const told = `<tr><td>errors</td><td>${contentRows(bad[0][1].content)}</td><td>${errors.join('<br>')}</td></tr>`;
  return [...rows, told].join('');
};

const operationBlock = (method: string, path: string, operation: Json): string => {
  const { summary, deprecated, parameters, requestBody, responses, operationId } = operation;
  const name = path.replace(/\{(\w+)\}/g, ':$1');
  const known = Array.isArray(parameters) ? (parameters as Json[]) : [];
  const parts = [
    `<p class="quiet">operation <code>${escapeHtml(String(operationId))}</code></p>`,
    known.length > 0 && `<table>${known.map(parameterRow).join('')}</table>`,
    isObject(requestBody) && `<p>Body</p>${contentRows(requestBody.content)}`,
    isObject(responses) && `<p>Answers</p><table>${responseRows(responses)}</table>`,
  ];
  const aside = deprecated === true ? ' (deprecated)' : '';
  return `<details><summary><b>${method.toUpperCase()}</b> <code>${escapeHtml(name)}</code> <span class="quiet">${escapeHtml(String(summary))}${aside}</span></summary>${parts.filter(Boolean).join('')}</details>`;
};

const section = (paths: Json, tag: string, title: string): string => {
  const blocks = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods as Record<string, Json>)
      .filter(([, { tags }]) => Array.isArray(tags) && tags.includes(tag))
      .map(([method, operation]) => operationBlock(method, path, operation)),
  );
  return `<h2 id="${tag}">${escapeHtml(title)}</h2>${blocks.join('')}`;
};

/** The page of a document. */
export const docsPage = (document: Json): string => {
  const { info, paths, components } = document as {
    info: Json;
    paths: Json;
    components: { schemas: Json };
  };
  const schemas = Object.entries(components.schemas)
    .filter((entry): entry is [string, Json] => isObject(entry[1]))
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(
      ([name, schema]) =>
        `<h3 id="schema-${escapeHtml(name)}">${escapeHtml(name)}</h3>${fieldTable(schema)}`,
    );
  const sections = Object.entries(TAGS).map(([tag, title]) => section(paths, tag, title));
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>tollama ${escapeHtml(String(info.version))}</title><style>${STYLE}</style></head><body>
<h1>tollama ${escapeHtml(String(info.version))}</h1>
<p>${escapeHtml(String(info.description))} For machines: <a href="/openapi.json">/openapi.json</a>.</p>
<p>Errors are <code>{"detail": ..., "hint"?: "..."}</code> with a status; bodies are JSON, unknown fields are refused.</p>
${sections.join('\n')}
<h2>Schemas</h2>
${schemas.join('\n')}
</body></html>
`;
};
