// A stand-in for the coordinator: answers as the API does, with a made-up federation. For screenshots and for
// looking at pages without a server; nothing is learned here (its hub is never reachable).
import { createServer } from 'node:http';
import { existsSync, readFileSync } from 'node:fs';
import { extname, join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';

const dist = resolve(import.meta.dirname, '../../web/dist');
const types = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.wasm': 'application/wasm' };
export const csp = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'";

const digest = (n) => n.toString(16).padStart(4, '0').repeat(16);
const now = Date.now();

const participants = [
  { id: 'nordwerk', name: 'Nordwerk', standing: 'delivered', last_seen_ms: now - 1200, contributions: 6, refusals: 0, last_refusal: null, bytes_up: 1_540_000, bytes_down: 5_600_000, update_agreement: 'agr-5dbb02f6aa31c9e07d14b220', model_agreement: 'agr-0f6a28b1', activity: 'awaiting-receipt', progress: 1, examples_per_second: 18400 },
  { id: 'adria', name: 'Adria', standing: 'training', last_seen_ms: now - 800, contributions: 6, refusals: 0, last_refusal: null, bytes_up: 1_520_000, bytes_down: 5_600_000, update_agreement: 'agr-92c0b4aa1e33f0c2a85511de', model_agreement: 'agr-0f6a28b2', activity: 'training', progress: 0.62, examples_per_second: 9300 },
  { id: 'lumen', name: 'Lumen', standing: 'absent', last_seen_ms: now - 95_000, contributions: 4, refusals: 2, last_refusal: 'it was trained on the model of round 5', bytes_up: 1_020_000, bytes_down: 4_100_000, update_agreement: 'agr-c3117f0ab2d94e6691f3ab70', model_agreement: 'agr-0f6a28b3' },
];
const status = {
  phase: 'collecting', round: 7, completed: 6, rounds: 10, opened_at_ms: now - 9000, deadline_ms: now + 291_000, expected: 2, delivered: 1,
  sentence: 'Round 7 of 10. One of two partners has delivered; it closes when the other has, or in 40 s.',
  model_digest: digest(7), model_bytes: 733_000, participants,
  history: [0.884, 0.921, 0.939, 0.951, 0.957, 0.962].map((accuracy, i) => ({ round: i + 1, contributors: i < 4 ? ['nordwerk', 'adria', 'lumen'] : ['nordwerk', 'adria'], accuracy, loss: [0.42, 0.27, 0.21, 0.17, 0.15, 0.13][i], seconds: 3.1 + i * 0.12, overhead_ms: 21 + i, bytes_up: 762_000, bytes_down: 2_200_000, model_digest: digest(i + 1) })),
};
const terms = [
  { sentence: 'It may be used only for the federation digits-demo.', operand: 'purpose', value: '', enforced: true },
  { sentence: 'At least 2 partners must contribute before a result is published.', operand: 'minCohortSize', value: '2', enforced: true },
  { sentence: 'It must not be passed on to others.', operand: 'redistribution', value: '', enforced: false },
];
const agreements = participants.flatMap((p) => [
  { id: p.update_agreement, asset: `urn:fl:digits-demo:${p.id}:updates`, assigner: p.id, assignee: 'coordinator', agreed_at_ms: now - 6e5, accepted_by: 'the operator', terms, odrl: { '@type': 'Agreement', '@id': p.update_agreement } },
  { id: p.model_agreement, asset: 'urn:fl:digits-demo:global', assigner: 'coordinator', assignee: p.id, agreed_at_ms: now - 6e5, accepted_by: 'Ada Novak', terms, odrl: { '@type': 'Agreement', '@id': p.model_agreement } },
]);
const ledger = Array.from({ length: 34 }, (_, i) => ({ sequence: i + 1, at_ms: now - (34 - i) * 9000, kind: ['round.opened', 'update.accepted', 'update.accepted', 'policy.decided', 'round.closed', 'model.published'][i % 6], summary: ['Round %r opened on the model 0a1b2c3d', 'Update of nordwerk in round %r accepted, weight 1800', 'Update of adria in round %r accepted, weight 1800', 'Release of round %r permitted', 'Round %r closed with 2 updates', 'Model of round %r published'][i % 6].replace('%r', Math.floor(i / 6) + 1), digest: digest(i + 100) }));

export async function startMock({ plan, coordinatorKey, sample }) {
  const federation = { id: 'digits-demo', name: 'Digits demo', operator: 'Nordwerk AG', purpose: 'Reading handwritten digits, as a demonstration.', coordinator: 'coordinator', coordinator_key: coordinatorKey, plan_digest: digest(1), rounds: 10, round: 7, phase: 'collecting', numerics: 'portable', participants: participants.map(({ name }) => ({ name })) };
  const server = createServer((request, response) => {
    const url = new URL(request.url, 'http://x');
    const send = (code, body, type = 'application/json') => {
      response.writeHead(code, { 'Content-Type': type, 'Cache-Control': 'no-store', 'Content-Security-Policy': csp });
      response.end(body);
    };
    const json = (value, code = 200) => send(code, JSON.stringify(value));
    const path = url.pathname.replace(/^\/api\/v1\//, '');
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      if (url.pathname.startsWith('/api/v1/')) {
        if (path === 'federation') return json(federation);
        if (path === 'plan') return send(200, plan, 'application/octet-stream');
        if (path === 'invitation') {
          if (!body.includes('GOOD')) return send(410, JSON.stringify({ status: 410, code: 'join.used', detail: 'This code was used.' }), 'application/problem+json');
          return json({ participant: 'plant-c', name: 'Plant C', federation: 'digits-demo', expires_at: now + 86_400_000 });
        }
        if (path === 'join') return json({ participant: 'plant-c', token: 'partner', coordinator_key: coordinatorKey, plan_digest: digest(1) }, 201);
        if (path.startsWith('sample/') && sample) {
          const name = { 'train-images': 'train-images-idx3-ubyte', 'train-labels': 'train-labels-idx1-ubyte', 'test-images': 't10k-images-idx3-ubyte', 'test-labels': 't10k-labels-idx1-ubyte' }[path.slice(7)];
          const file = join(sample, name);
          return send(200, existsSync(file) ? readFileSync(file) : gunzipSync(readFileSync(`${file}.gz`)), 'application/octet-stream');
        }
        if (request.headers.authorization === 'Bearer wrong') return json({ status: 401, code: 'auth.unknown-token', detail: 'The token is not known.' }, 401);
        if (path === 'status') return json(status);
        if (path === 'me') return json({ participant: 'operator', name: 'Operator', role: 'operator' });
        if (path === 'ledger') return json({ entries: Number(url.searchParams.get('after')) === 0 ? ledger : [], next: null });
        if (path === 'agreements') return json(agreements);
        if (path === 'invitations') return json({ code: 'GOOD', link: '/join#code=GOOD', expires_at: now + 86_400_000 }, 201);
        return json({ status: 503, code: 'mock', detail: 'The mock has no hub.' }, 503);
      }
      const page = { '/': 'index.html', '/join': 'join.html', '/demo': 'demo.html' }[url.pathname] ?? url.pathname.slice(1);
      const file = resolve(dist, page);
      if (!file.startsWith(dist) || !existsSync(file)) return send(404, 'not found', 'text/plain');
      send(200, readFileSync(file), types[extname(file)] ?? 'application/octet-stream');
    });
  });
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return { address: `http://127.0.0.1:${server.address().port}`, close: () => new Promise((done) => { server.closeAllConnections(); server.close(done); }) };
}
