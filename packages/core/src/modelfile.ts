/**
 * Modelfiles: a model with settings of its own. `FROM` is required; keywords in any case, comments with #,
 * several lines between triple quotes.
 */
import { TollamaError } from './errors.ts';

export interface Modelfile {
  readonly from: string;
  /** Folder of a LoRA adapter in PEFT's format. */
  readonly adapter?: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  readonly license?: string;
  readonly description?: string;
  /** Smallest version of tollama that understands it. */
  readonly requires?: string;
  /** Keywords of other tools that mean nothing here. */
  readonly ignored: readonly string[];
}

/** What PARAMETER may set: fields of the request, and any option of the model. */
const REQUEST_PARAMETERS = ['horizon', 'quantiles', 'keep_alive', 'timeout'] as const;
const IGNORED = new Set(['TEMPLATE', 'SYSTEM', 'MESSAGE', 'RENDERER', 'PARSER']);
const KNOWN = ['FROM', 'PARAMETER', 'ADAPTER', 'LICENSE', 'DESCRIPTION', 'REQUIRES'];

interface Instruction {
  readonly line: number;
  readonly keyword: string;
  readonly value: string;
}

const fail = (line: number, message: string, hint: string): never => {
  throw new TollamaError('INVALID_INPUT', `Modelfile line ${line}: ${message}`, { hint });
};

const instructions = (text: string): Instruction[] => {
  const found: Instruction[] = [];
  const lines = text.replaceAll('\r\n', '\n').split('\n');
  for (let i = 0; i < lines.length; i++) {
    const trimmed = lines[i]!.trim();
    if (trimmed === '' || trimmed.startsWith('#')) continue;
    const line = i + 1;
    const [, keyword = '', rest = ''] = /^(\S+)\s*(.*)$/.exec(trimmed) ?? [];
    let value = rest;
    if (rest.startsWith('"""')) {
      value = rest.slice(3);
      while (!value.includes('"""')) {
        if (++i >= lines.length) fail(line, 'the quotes """ are not closed', 'close them with """');
        value += `\n${lines[i]!}`;
      }
      value = value.slice(0, value.indexOf('"""'));
    }
    found.push({
      line,
      keyword: keyword.toUpperCase(),
      value: value.trim().replace(/^"(.*)"$/s, '$1'),
    });
  }
  return found;
};

const parameterValue = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
};

/** Throws INVALID_INPUT with the line and what it may say. */
export const parseModelfile = (text: string): Modelfile => {
  let from: string | undefined;
  const parameters: Record<string, unknown> = {};
  const single: { adapter?: string; license?: string; description?: string; requires?: string } =
    {};
  const ignored: string[] = [];
  for (const { line, keyword, value } of instructions(text)) {
    if (IGNORED.has(keyword)) {
      ignored.push(keyword);
      continue;
    }
    if (!KNOWN.includes(keyword))
      fail(line, `unknown instruction '${keyword}'`, `use one of ${KNOWN.join(', ')}`);
    if (value === '') fail(line, `${keyword} needs a value`, `write ${keyword} <value>`);
    if (keyword === 'PARAMETER') {
      const [, name, rest] = /^(\S+)\s+(.+)$/s.exec(value) ?? [];
      if (!name || !rest)
        fail(line, `PARAMETER '${value}' has no value`, 'write PARAMETER <name> <value>');
      parameters[name!] = parameterValue(rest!.trim());
    } else if (keyword === 'FROM') {
      if (from !== undefined) fail(line, 'a second FROM', 'a model comes from one other');
      from = value;
    } else {
      single[keyword.toLowerCase() as keyof typeof single] = value;
    }
  }
  if (from === undefined) return fail(1, 'there is no FROM', 'start with FROM <model>');
  return { from, parameters, ignored, ...single };
};

/** Parameters as defaults of a request: its own fields, everything else under `options`. */
export const requestDefaults = (
  parameters: Readonly<Record<string, unknown>>,
): Record<string, unknown> => {
  const isField = (name: string): boolean =>
    (REQUEST_PARAMETERS as readonly string[]).includes(name);
  const entries = Object.entries(parameters);
  const fields = Object.fromEntries(entries.filter(([name]) => isField(name)));
  const options = Object.fromEntries(entries.filter(([name]) => !isField(name)));
  return { ...fields, ...(Object.keys(options).length > 0 && { options }) };
};
