// A pad to draw a digit on, with pointer or keyboard, and the picture as the model wants it.
import { useEffect, useRef, useState } from 'preact/hooks';
import { Guess } from './parts.tsx';

const side = 280;
const pen = 22;

interface Properties {
  predict: (pixels: Float32Array) => Promise<number[]>;
  sample?: (() => Promise<{ pixels: ArrayLike<number>; label: number } | undefined>) | undefined;
  version: unknown; // the model changed: read again
}

export function Draw({ predict, sample, version }: Properties) {
  const ref = useRef<HTMLCanvasElement>(null);
  const [probabilities, setProbabilities] = useState<number[]>();
  const last = useRef<[number, number] | null>(null);
  const cursor = useRef({ x: side / 2, y: side / 3, down: false });
  const ready = useRef(false);
  const [hint, setHint] = useState('');

  const context = () => ref.current!.getContext('2d', { willReadFrequently: true })!;

  async function look() {
    const pixels = toDigit(context().getImageData(0, 0, side, side));
    ready.current = pixels !== null;
    if (!pixels) return setProbabilities(undefined);
    const answer = await predict(pixels).catch(() => []);
    setProbabilities(answer.length > 0 ? answer : undefined);
  }
  const busy = useRef(false);
  async function lookSoon() {
    if (busy.current) return;
    busy.current = true;
    await new Promise((resolve) => setTimeout(resolve, 60));
    busy.current = false;
    await look();
  }

  function clear() {
    const c = context();
    c.fillStyle = '#000';
    c.fillRect(0, 0, side, side);
    void look();
  }
  useEffect(clear, []);
  useEffect(() => { if (ready.current) void look(); }, [version]);

  function stroke(x: number, y: number) {
    const c = context();
    c.strokeStyle = '#fff';
    c.lineWidth = pen;
    c.lineCap = 'round';
    c.beginPath();
    c.moveTo(...(last.current ?? [x, y]));
    c.lineTo(x + 0.01, y);
    c.stroke();
    last.current = [x, y];
    void lookSoon();
  }
  function place(event: PointerEvent): [number, number] {
    const box = ref.current!.getBoundingClientRect();
    return [((event.clientX - box.left) * side) / box.width, ((event.clientY - box.top) * side) / box.height];
  }
  function key(event: KeyboardEvent) {
    const moves: Record<string, [number, number]> = { ArrowLeft: [-14, 0], ArrowRight: [14, 0], ArrowUp: [0, -14], ArrowDown: [0, 14] };
    const at = cursor.current;
    if (event.key === ' ') {
      at.down = !at.down;
      last.current = null;
      if (at.down) stroke(at.x, at.y);
    } else if (moves[event.key]) {
      at.x = Math.max(20, Math.min(side - 20, at.x + moves[event.key]![0]));
      at.y = Math.max(20, Math.min(side - 20, at.y + moves[event.key]![1]));
      if (at.down) {
        last.current ??= [at.x, at.y];
        stroke(at.x, at.y);
      }
    } else return;
    event.preventDefault();
    setHint(`Pen ${at.down ? 'down' : 'up'}, ${Math.round((100 * at.x) / side)} % from the left, ${Math.round((100 * at.y) / side)} % from the top`);
  }
  async function takeSample() {
    const taken = await sample?.();
    if (!taken) return;
    const small = document.createElement('canvas');
    small.width = small.height = 28;
    const image = new ImageData(28, 28);
    for (let i = 0; i < 784; i++) {
      image.data.fill(taken.pixels[i] ?? 0, 4 * i, 4 * i + 3);
      image.data[4 * i + 3] = 255;
    }
    small.getContext('2d')!.putImageData(image, 0, 0);
    context().drawImage(small, 0, 0, side, side);
    await look();
  }

  const best = probabilities && probabilities.indexOf(Math.max(...probabilities));
  return (
    <div class="try">
      <div class="stack tight">
        <canvas
          ref={ref} class="pad" width={side} height={side} tabIndex={0} role="application"
          aria-label="Drawing pad. Arrow keys move the pen, space lowers or lifts it."
          onPointerDown={(e) => { ref.current!.setPointerCapture(e.pointerId); last.current = null; stroke(...place(e)); }}
          onPointerMove={(e) => { if (e.buttons & 1) stroke(...place(e)); }}
          onPointerUp={() => { last.current = null; void look(); }}
          onKeyDown={key}
        />
        <span class="vh" role="status">{hint}</span>
        <div class="row">
          <button type="button" onClick={clear}>Clear</button>
          {sample && <button type="button" onClick={() => void takeSample()}>Test digit</button>}
        </div>
      </div>
      <div class="stack tight">
        <p class="answer" role="status" data-digit={best ?? ''}>
          {best === undefined ? 'Draw a digit from 0 to 9 with mouse, finger or arrow keys.' : <>The model reads <b>{best}</b></>}
        </p>
        {probabilities && <Guess probabilities={probabilities} />}
      </div>
    </div>
  );
}

// As MNIST was made: scaled to fit 20 x 20, centred by mass in 28 x 28, 0 to 1. Null when nothing is drawn.
export function toDigit(image: ImageData): Float32Array | null {
  const { width, height, data } = image;
  let [left, right, top, bottom] = [width, -1, height, -1];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (data[4 * (y * width + x)]! < 40) continue;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
    }
  }
  if (right < 0) return null;
  const scale = 20 / Math.max(right - left + 1, bottom - top + 1);
  // Each small pixel is the mean of the area that it covers.
  const small = (offsetX: number, offsetY: number) => {
    const out = new Float32Array(784);
    for (let y = 0; y < 28; y++) {
      for (let x = 0; x < 28; x++) {
        const [x0, x1] = [(x - offsetX) / scale + left, (x + 1 - offsetX) / scale + left];
        const [y0, y1] = [(y - offsetY) / scale + top, (y + 1 - offsetY) / scale + top];
        let sum = 0;
        let n = 0;
        for (let v = Math.floor(y0); v < y1; v++) {
          for (let u = Math.floor(x0); u < x1; u++) {
            n++;
            if (u >= 0 && v >= 0 && u < width && v < height) sum += data[4 * (v * width + u)]!;
          }
        }
        out[y * 28 + x] = n > 0 ? sum / n / 255 : 0;
      }
    }
    return out;
  };
  const wide = (right - left + 1) * scale;
  const high = (bottom - top + 1) * scale;
  const first = small((28 - wide) / 2, (28 - high) / 2);
  let [mass, mx, my] = [0, 0, 0];
  first.forEach((v, i) => {
    mass += v;
    mx += v * (i % 28);
    my += v * Math.floor(i / 28);
  });
  return small((28 - wide) / 2 + 13.5 - mx / mass, (28 - high) / 2 + 13.5 - my / mass);
}
