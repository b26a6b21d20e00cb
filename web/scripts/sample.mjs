// Makes the demo's sample of MNIST: 5,000 training and 1,000 test digits, as the four IDX files one after the other
// (train images, train labels, test images, test labels), each behind its length (u32, little endian), deflated.
//
//   node scripts/sample.mjs [OUT]      reads ENTENTE_MNIST_DIR or ../third_party/mnist; files plain or .gz
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { deflateRawSync, gunzipSync } from 'node:zlib';

const train = 5000;
const test = 1000;

function directory() {
  const wanted = [process.env.ENTENTE_MNIST_DIR, resolve(import.meta.dirname, '../../third_party/mnist')].filter(Boolean);
  for (const path of wanted) {
    if (existsSync(resolve(path, 'train-images-idx3-ubyte')) || existsSync(resolve(path, 'train-images-idx3-ubyte.gz'))) return path;
  }
  throw new Error(`Expected the four IDX files of MNIST in one of: ${wanted.join(', ')}. script/fetch-mnist fetches them.`);
}

function read(name) {
  const path = resolve(directory(), name);
  return existsSync(path) ? readFileSync(path) : gunzipSync(readFileSync(path + '.gz'));
}

// The first `count` items of an IDX file, with the count in its header set right.
function head(file, count) {
  const images = file.readUInt32BE(0) === 0x803;
  const start = images ? 16 : 8;
  const size = images ? file.readUInt32BE(8) * file.readUInt32BE(12) : 1;
  const out = Buffer.from(file.subarray(0, start + count * size));
  out.writeUInt32BE(count, 4);
  return out;
}

export function makeSample() {
  const parts = [
    head(read('train-images-idx3-ubyte'), train),
    head(read('train-labels-idx1-ubyte'), train),
    head(read('t10k-images-idx3-ubyte'), test),
    head(read('t10k-labels-idx1-ubyte'), test),
  ];
  const framed = parts.flatMap((part) => {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(part.length);
    return [length, part];
  });
  return deflateRawSync(Buffer.concat(framed), { level: 9 });
}

if (process.argv[1] === import.meta.filename) {
  const out = process.argv[2] ?? 'sample.bin';
  const bytes = makeSample();
  writeFileSync(out, bytes);
  console.log(`${out}: ${bytes.length} bytes`);
}
