/** The modules that a file of declarations mentions, read by a parser. */
import { parseSync } from 'rolldown/utils';

export interface Mention {
  readonly specifier: string;
  /** Where it stands in the text, its quotes included. */
  readonly start: number;
  readonly end: number;
}

type SyntaxNode = Readonly<Record<string, unknown>>;

const isNode = (value: unknown): value is SyntaxNode => typeof value === 'object' && value !== null;

/** What the fields are called under which syntax trees keep the names of modules. */
const SPECIFIER_FIELDS: Readonly<Record<string, string>> = {
  ImportDeclaration: 'source',
  ExportNamedDeclaration: 'source',
  ExportAllDeclaration: 'source',
  TSImportType: 'source',
  TSExternalModuleReference: 'expression',
};

/** From the last to the first, so that each can be replaced where it stands; those in comments are none. */
export const mentionsOf = (path: string, text: string): readonly Mention[] => {
  const found: Mention[] = [];
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) return void node.forEach(visit);
    if (!isNode(node)) return;
    const field = SPECIFIER_FIELDS[String(node.type)];
    const literal = field === undefined ? undefined : node[field];
    if (isNode(literal) && typeof literal.value === 'string') {
      const { value, start, end } = literal;
      found.push({ specifier: value, start: Number(start), end: Number(end) });
    }
    for (const child of Object.values(node)) if (isNode(child)) visit(child);
  };
  const { program, errors } = parseSync(path, text);
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]!.message}`);
  visit(program);
  return found.sort((a, b) => b.start - a.start);
};
