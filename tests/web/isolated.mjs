// A server of files for pages of tests: isolated (COOP and COEP), or with ?plain as a server that sends no headers.
import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';

const types = { '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.wasm': 'application/wasm' };

// files: path -> text, bytes, or a function that reads them.
export async function serveIsolated(files) {
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, 'http://x');
    const file = files[url.pathname];
    if (file === undefined) return response.writeHead(404).end();
    const isolation = url.searchParams.has('plain')
      ? {}
      : { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp', 'Cross-Origin-Resource-Policy': 'same-origin' };
    response.writeHead(200, { 'Content-Type': types[extname(url.pathname)] ?? 'text/html', 'Cache-Control': 'no-store', ...isolation });
    response.end(typeof file === 'function' ? await file() : file);
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return { address: `http://127.0.0.1:${server.address().port}`, stop: () => server.close() };
}

export const fileOf = (path) => () => readFile(path);
