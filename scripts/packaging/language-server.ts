/** What an editor shows of a program: TypeScript's own language server, asked as an editor asks it. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';

interface Message {
  readonly id?: number | string;
  readonly method?: string;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

const HEAD_END = '\r\n\r\n';

/** Messages out of a stream of bytes: a head that tells the length, and JSON. */
class MessageReader {
  #bytes = Buffer.alloc(0);

  *read(chunk: Buffer): Generator<Message> {
    this.#bytes = Buffer.concat([this.#bytes, chunk]);
    for (;;) {
      const headEnd = this.#bytes.indexOf(HEAD_END);
      if (headEnd < 0) return;
      const length = /Content-Length: (\d+)/i.exec(this.#bytes.toString('latin1', 0, headEnd))?.[1];
      const start = headEnd + HEAD_END.length;
      const end = start + Number(length);
      if (this.#bytes.length < end) return;
      yield JSON.parse(this.#bytes.toString('utf8', start, end)) as Message;
      this.#bytes = this.#bytes.subarray(end);
    }
  }
}

/** @example const text = await server.hover('use.ts', 'forecast('); */
export class LanguageServer implements Disposable {
  readonly #process: ChildProcessWithoutNullStreams;
  readonly #waiting = new Map<number | string, (message: Message) => void>();
  #last = 0;

  constructor(tsc: string, folder: string) {
    this.#process = spawn(process.execPath, [tsc, '--lsp', '--stdio'], { cwd: folder });
    const reader = new MessageReader();
    this.#process.stdout.on('data', (chunk: Buffer) => {
      for (const message of reader.read(chunk)) this.#receive(message);
    });
  }

  #receive(message: Message): void {
    const { id, method } = message;
    if (id === undefined) return;
    if (method === undefined) {
      this.#waiting.get(id)?.(message);
      this.#waiting.delete(id);
    } else {
      // The server's own questions: about settings, and what it may watch.
      this.#send({ id, result: null });
    }
  }

  #send(message: object): void {
    const text = JSON.stringify({ jsonrpc: '2.0', ...message });
    this.#process.stdin.write(`Content-Length: ${Buffer.byteLength(text)}${HEAD_END}${text}`);
  }

  #ask(method: string, params: object): Promise<unknown> {
    const id = ++this.#last;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#waiting.set(id, ({ result, error }) =>
      error ? reject(new Error(`${method}: ${error.message}`)) : resolve(result),
    );
    this.#process.once('exit', () => reject(new Error(`the language server ended at ${method}`)));
    this.#send({ id, method, params });
    return promise;
  }

  async open(path: string): Promise<void> {
    await this.#ask('initialize', {
      processId: process.pid,
      rootUri: null,
      capabilities: { textDocument: { hover: { contentFormat: ['markdown'] } } },
    });
    this.#send({ method: 'initialized', params: {} });
    const text = await readFile(path, 'utf8');
    const uri = pathToFileURL(path).href;
    this.#send({
      method: 'textDocument/didOpen',
      params: { textDocument: { uri, languageId: 'typescript', version: 1, text } },
    });
  }

  /** What is shown over the first place of `name` in an opened file, as Markdown. */
  async hover(path: string, name: string): Promise<string> {
    const lines = (await readFile(path, 'utf8')).split('\n');
    const line = lines.findIndex((text) => text.includes(name));
    const position = { line, character: lines[line]?.indexOf(name) ?? -1 };
    const textDocument = { uri: pathToFileURL(path).href };
    const shown = (await this.#ask('textDocument/hover', { textDocument, position })) as {
      contents: { value: string };
    } | null;
    return shown?.contents.value ?? '';
  }

  [Symbol.dispose](): void {
    this.#process.removeAllListeners('exit');
    this.#process.kill();
  }
}
