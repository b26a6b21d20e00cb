// The work, the same for every page: model, first weights, eight batches taken in turn, learning rate.
// Layouts are Entente's: data [batch, ...space, channels], dense [in, out], convolution [out, ...kernel, in].
export const BATCHES = 8;

const dense = (units) => ({ kind: 'dense', units });
const conv = (units) => ({ kind: 'conv', units, kernel: 5 }); // stride 1, padded to the same size
const relu = { kind: 'relu' };
const pool = { kind: 'pool' }; // the largest of 2, or of 2 x 2

export const models = {
  '2nn': { input: [784], classes: 10, rate: 0.02, layers: [dense(200), relu, dense(200), relu, dense(10)] },
  cnn: { input: [28, 28, 1], classes: 10, rate: 0.004, layers: [conv(32), relu, pool, conv(64), relu, pool, dense(512), relu, dense(10)] },
  conv1d: { input: [64, 8], classes: 6, rate: 0.02, layers: [conv(32), relu, pool, conv(64), relu, pool, dense(64), relu, dense(6)] },
  ae: { input: [512], classes: 0, rate: 0.5, layers: [dense(128), relu, dense(32), relu, dense(128), relu, dense(512)] },
};

const product = (shape) => shape.reduce((a, b) => a * b, 1);

// A small generator with a seed (xorshift32), uniform in [-1, 1).
function generator(seed) {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state / 2147483648;
  };
}

// [{ weight: shape, bias: [units], first: the shape that comes in }], one for each layer that has parameters.
export function shapes(model) {
  const found = [];
  let shape = models[model].input;
  for (const layer of models[model].layers) {
    if (layer.kind === 'dense') {
      found.push({ weight: [product(shape), layer.units], bias: [layer.units], first: shape });
      shape = [layer.units];
    } else if (layer.kind === 'conv') {
      const space = shape.slice(0, -1);
      found.push({ weight: [layer.units, ...space.map(() => layer.kernel), shape.at(-1)], bias: [layer.units], first: shape });
      shape = [...space, layer.units];
    } else if (layer.kind === 'pool') {
      shape = [...shape.slice(0, -1).map((n) => n / 2), shape.at(-1)];
    }
  }
  return found;
}

// Uniform He weights, biases near zero, in the order of the layers.
export function weights(model) {
  return shapes(model).flatMap(({ weight, bias }, layer) => {
    const next = generator(1000 + layer);
    const fanIn = weight.length === 2 ? weight[0] : product(weight.slice(1));
    const scale = Math.sqrt(6 / fanIn);
    const drawn = (count, factor) => {
      const values = new Float32Array(count);
      for (let i = 0; i < count; i++) values[i] = next() * factor;
      return values;
    };
    return [drawn(product(weight), scale), drawn(bias[0], 0.02)];
  });
}

const opensFirst = location.search === '?first';
const fetched = () => ['/digits', '/labels'].map(async (path) => new Uint8Array(await (await fetch(path)).arrayBuffer()));
const early = opensFirst ? fetched() : undefined; // beside whatever the page loads

// { x: [BATCHES * batch, input], labels or nothing }: digits for pictures, waves of eight kinds for the rest.
export async function data(model, batch) {
  const { input, classes } = models[model];
  const rows = BATCHES * batch;
  const size = product(input);
  if (size === 784) {
    const [pixels, digits] = await Promise.all(early ?? fetched());
    const x = new Float32Array(rows * size);
    for (let i = 0; i < x.length; i++) x[i] = pixels[i] / 255;
    return { x, labels: Uint32Array.from(digits.subarray(0, rows)) };
  }
  const next = generator(7);
  const x = new Float32Array(rows * size);
  const labels = new Uint32Array(rows);
  for (let row = 0; row < rows; row++) {
    labels[row] = row % (classes || 8);
    for (let i = 0; i < size; i++) x[row * size + i] = 0.6 * Math.sin((labels[row] + 1) * 0.05 * i) + 0.4 * next();
  }
  return classes ? { x, labels } : { x };
}

// Shows the page to bench.mjs. Opened with ?first it begins by itself, as a page does, and tells the server when the first step was done.
export async function enter(contestant) {
  window.contestant = contestant;
  if (!opensFirst) return;
  await contestant.setup('2nn', 10);
  await contestant.steps(1);
  await fetch('/first', { method: 'POST', body: performance.now() });
}
