// A real federation for the tests: `entente serve` with native partners, each its own process and folders. With
// `connectors` they have connectors of their own.
import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');
export const binary = process.env.ENTENTE_BINARY ?? resolve(root, 'build/native/native/entente');
export const mnist = process.env.ENTENTE_MNIST_DIR ?? resolve(root, 'third_party/mnist');

export async function startFederation({ rounds = 6, natives = 2, partners = 3, wait = natives + 1, presence = 20, slices = 1, connectors = false, listen = '127.0.0.1:0', policy = '', witnesses = 0, more = [] } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'entente-e2e-'));
  const shares = join(folder, 'shares');
  for (let i = 1; i <= partners; i++) mkdirSync(join(shares, shareName(i)), { recursive: true });
  execFileSync(binary, ['data', 'split', '--from', mnist, '--to', shares, '--partners', String(partners)], { stdio: 'pipe' });
  const plan = join(folder, 'plan.toml');
  writeFileSync(plan, `[training]\nslices = ${slices}\n[round]\nrounds = ${rounds}\nmin_cohort = ${wait}\ngoal = 0\ndeadline_s = 60\npresence_s = ${presence}\nwitnesses = ${witnesses}\n[policy]\nmin_cohort_size = ${Math.min(wait, 2)}\n${policy}\n`);
  const processes = [];
  const run = (name, args) => {
    const child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    child.output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (child.output += data));
    child.ended = new Promise((done) => child.on('exit', done));
    child.label = name;
    processes.push(child);
    return child;
  };
  const tokenFile = join(folder, 'token');
  let server;
  async function serve(listen) {
    server = run('serve', ['serve', '--plan', plan, '--data', join(folder, 'server'), '--listen', listen, '--sample', join(shares, shareName(partners)), '--evaluate', mnist, '--web-dir', resolve(root, 'web/dist'), '--operator-token-file', tokenFile, ...more]);
    for (let i = 0; i < 200; i++) {
      await new Promise((done) => setTimeout(done, 50));
      const found = /https?:\/\/127\.0\.0\.1:\d+/.exec(server.output)?.[0];
      if (found) return found;
      if (server.exitCode !== null) throw new Error(`serve ended: ${server.output}`);
    }
    throw new Error(`serve told no address: ${server.output}`);
  }
  const address = await serve(listen);
  const token = readFileSync(tokenFile, 'utf8').trim();
  const invite = async (participant, name) => {
    const response = await fetch(`${address}/api/v1/invitations`, {
      method: 'POST', headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ participant, name, role: 'partner', valid_s: 3600 }),
    });
    if (!response.ok) throw new Error(`invitation: ${response.status} ${await response.text()}`);
    return response.json();
  };
  const startNative = async (i) => {
    const home = join(folder, `partner-${i}`);
    mkdirSync(home);
    const { code } = await invite(`plant-${i}`, `Plant ${i}`);
    writeFileSync(join(home, 'code'), code, { mode: 0o600 });
    run(`plant-${i}`, ['join', '--url', address, '--data', join(shares, shareName(i)), '--state', join(home, 'state'), '--code-file', join(home, 'code'), '--accepted-by', 'A test',
      ...(connectors ? ['--connector', 'dsp'] : [])]);
  };
  for (let i = 1; i <= natives; i++) await startNative(i);
  const status = async () => (await fetch(`${address}/api/v1/status`, { headers: { Authorization: `Bearer ${token}` } })).json();
  return {
    address, token, invite, status, processes, startNative,
    share: (n) => join(shares, shareName(n)),
    // As by a power cut, and back at the same address.
    async loseServer() {
      server.kill('SIGKILL');
      await server.ended;
    },
    returnServer: () => serve(new URL(address).host),
    async stop() {
      for (const child of processes) child.kill('SIGTERM');
      await Promise.race([Promise.all(processes.map((child) => child.ended)), new Promise((done) => setTimeout(done, 5000))]);
      for (const child of processes) child.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

const shareName = (n) => `partner-${n}`;
