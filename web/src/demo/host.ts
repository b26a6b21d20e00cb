// Starts the engine: in a worker made from this very page, or here where the browser refuses workers (file://).
import { connect, type Remote } from '../core/rpc.ts';
import { createEngine, type DemoNews, type Engine } from './engine.ts';
import DemoWorker from './worker.ts?worker&inline';

export interface Host {
  engine: Remote<Engine>;
  kind: 'worker' | 'page';
}

async function inWorker(onNews: (news: DemoNews) => void): Promise<Host> {
  const worker = new DemoWorker();
  const refused = new Promise<never>((_resolve, reject) => {
    worker.addEventListener('error', (event) => reject(new Error(event.message)), { once: true });
  });
  const engine = connect<Engine, DemoNews>(worker, onNews);
  await Promise.race([engine.pause(), refused]);
  return { engine, kind: 'worker' };
}

function onPage(onNews: (news: DemoNews) => void): Host {
  const engine = createEngine(onNews);
  const remote = Object.fromEntries(
    Object.entries(engine).map(([name, method]) => [name, async (...args: never[]) => (method as (...a: never[]) => unknown)(...args)]),
  );
  return { engine: remote as unknown as Remote<Engine>, kind: 'page' };
}

export async function startHost(onNews: (news: DemoNews) => void): Promise<Host> {
  const refuse = new URLSearchParams(location.search).has('no-worker');
  let host: Host;
  try {
    host = refuse ? onPage(onNews) : await inWorker(onNews);
  } catch {
    host = onPage(onNews);
  }
  return host;
}

// Bytes that the build put into the page as base64.
function embedded(id: string): Uint8Array<ArrayBuffer> {
  const text = document.getElementById(id)?.textContent;
  if (!text) throw new Error(`This file is incomplete: the part "${id}" is missing.`);
  const binary = atob(text.trim());
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

export const embeddedWasm = (): ArrayBuffer => embedded('wasm').buffer;

export async function embeddedSample(): Promise<ArrayBuffer> {
  if (typeof DecompressionStream === 'undefined') {
    throw new Error('This browser cannot unpack the sample. It needs Chrome 103, Firefox 113, Safari 16.4 or newer.');
  }
  const stream = new Blob([embedded('sample')]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
  return new Response(stream).arrayBuffer();
}
