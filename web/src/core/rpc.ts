// Calls from a page to its worker, and news from the worker to the page.
//
//   worker:  serve(methods)                       where methods = { add(a: number, b: number) { return a + b; } }
//   page:    const remote = connect<typeof methods, News>(worker, onNews);   await remote.add(1, 2)
//
// An error crosses as {message, reason, code}: see Fault.

export class Fault extends Error {
  readonly reason: string;
  readonly status: number;
  constructor(message: string, reason: string, status = 0) {
    super(message);
    this.reason = reason;
    this.status = status;
  }
}

export type Methods = Record<string, (...args: never[]) => unknown>;
export type Remote<M> = {
  [K in keyof M]: M[K] extends (...args: infer A) => infer R ? (...args: A) => Promise<Awaited<R>> : never;
};

interface Request {
  id: number;
  method: string;
  args: unknown[];
}
type Reply =
  | { id: number; ok: true; value: unknown }
  | { id: number; ok: false; message: string; reason: string; status: number }
  | { news: unknown };

interface Port {
  postMessage(message: unknown): void;
  addEventListener(type: 'message', listener: (event: MessageEvent) => void): void;
}

export function serve(methods: Methods, port: Port): (news: unknown) => void {
  port.addEventListener('message', async (event) => {
    const { id, method, args } = event.data as Request;
    try {
      const call = methods[method];
      if (!call) throw new Error(`no method ${method}`);
      port.postMessage({ id, ok: true, value: await call(...(args as never[])) } satisfies Reply);
    } catch (error) {
      const { message, reason, status } = error as Partial<Fault>;
      port.postMessage({ id, ok: false, message: message ?? String(error), reason: reason ?? 'internal.exception', status: status ?? 0 } satisfies Reply);
    }
  });
  return (news) => port.postMessage({ news });
}

export function connect<M, News>(port: Port, onNews: (news: News) => void): Remote<M> {
  let last = 0;
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  port.addEventListener('message', (event) => {
    const reply = event.data as Reply;
    if ('news' in reply) {
      onNews(reply.news as News);
      return;
    }
    const call = waiting.get(reply.id);
    waiting.delete(reply.id);
    if (reply.ok) call?.resolve(reply.value);
    else call?.reject(new Fault(reply.message, reply.reason, reply.status));
  });
  return new Proxy({} as Remote<M>, {
    get: (_target, method: string) => {
      // A proxy that is awaited must not look like a promise.
      if (method === 'then') return undefined;
      return (...args: unknown[]) =>
        new Promise((resolve, reject) => {
          waiting.set(++last, { resolve, reject });
          port.postMessage({ id: last, method, args } satisfies Request);
        });
    },
  });
}

// Lets everything else run: messages, answers from the network, painting.
export const breathe: () => Promise<void> = (() => {
  const channel = new MessageChannel();
  const waiting: (() => void)[] = [];
  channel.port1.onmessage = () => waiting.shift()?.();
  return () =>
    new Promise<void>((resolve) => {
      waiting.push(resolve);
      channel.port2.postMessage(0);
    });
})();
