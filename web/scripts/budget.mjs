// What the pages weigh against what they may weigh. Exit code 1 when one is over.
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { bytesToFirstStep, dist, reach, weigh } from './weigh.mjs';

let over = false;
function report(name, bytes, limit) {
  const bad = bytes >= limit;
  over ||= bad;
  console.log(`${bad ? 'OVER' : 'ok  '}  ${name}: ${bytes.toLocaleString('en')} of ${limit.toLocaleString('en')} bytes`);
}

// What only those fetch who bring a table counts by itself.
const forTables = /\/(table|score)-[^/]*\.js$/;
for (const page of ['index.html', 'join.html']) {
  report(`${page}, JavaScript (brotli)`, weigh(reach(page).filter((path) => path.endsWith('.js') && !forTables.test(path))), 60 * 1000);
}
report('join.html, JavaScript for tables (brotli)', weigh(reach('join.html').filter((path) => forTables.test(path))), 8 * 1000);
report('join.html, to the first training step (brotli)', bytesToFirstStep(), 184 * 1000);
report('join.html, to the first training step on threads (brotli)', bytesToFirstStep({ threads: true }), 205 * 1000);
const demo = resolve(dist, 'demo.html');
if (existsSync(demo)) report('demo.html (as it is)', readFileSync(demo).length, 4_000_000);
process.exitCode = over ? 1 : 0;
