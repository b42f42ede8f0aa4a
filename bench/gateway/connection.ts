/** A kept HTTP/1.1 connection that costs as little as can be: a load generator must not be what is measured. */
import { connect, type Socket } from 'node:net';

export interface Reply {
  readonly status: number;
  readonly body: string;
}

const HEAD_END = '\r\n\r\n';

/** The whole reply at the start of the text, and how long it is; undefined while it is not all there. */
const replyIn = (text: string): { readonly reply: Reply; readonly length: number } | undefined => {
  const end = text.indexOf(HEAD_END);
  if (end < 0) return undefined;
  const head = text.slice(0, end);
  const from = end + HEAD_END.length;
  const size = Number(/content-length: *(\d+)/i.exec(head)?.[1]);
  if (Number.isNaN(size)) throw new Error(`a reply without Content-Length: ${head}`);
  if (text.length < from + size) return undefined;
  const reply = { status: Number(head.slice(9, 12)), body: text.slice(from, from + size) };
  return { reply, length: from + size };
};

export class Connection implements Disposable {
  readonly #socket: Socket;
  #received = '';
  #waiting: { resolve: (reply: Reply) => void; reject: (error: Error) => void } | undefined;

  constructor(host: string, port: number) {
    this.#socket = connect({ host, port, noDelay: true });
    this.#socket.setEncoding('latin1');
    this.#socket.on('data', (text: string) => this.#receive(text));
    this.#socket.on('error', (error) => this.#waiting?.reject(error));
    this.#socket.on('close', () => this.#waiting?.reject(new Error('the connection was closed')));
  }

  /** Sends one request, head and all, and gives its reply; one at a time. */
  ask(request: Buffer): Promise<Reply> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#socket.write(request);
    });
  }

  #receive(text: string): void {
    this.#received += text;
    const found = replyIn(this.#received);
    if (!found || !this.#waiting) return;
    const { resolve } = this.#waiting;
    this.#received = this.#received.slice(found.length);
    this.#waiting = undefined;
    resolve(found.reply);
  }

  [Symbol.dispose](): void {
    this.#waiting = undefined;
    this.#socket.destroy();
  }
}
