// Numbers as people read them. A unit never leaves its number: between them stands a no-break space.
const count = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

export const number = (value: number): string => count.format(value).replaceAll(',', '\u202f');

export function bytes(value: number): string {
  if (value < 1000) return `${value}\u00a0B`;
  if (value < 1e6) return `${(value / 1e3).toFixed(value < 1e4 ? 1 : 0)}\u00a0kB`;
  if (value < 1e9) return `${(value / 1e6).toFixed(value < 1e7 ? 2 : 1)}\u00a0MB`;
  return `${(value / 1e9).toFixed(2)}\u00a0GB`;
}

export const percent = (share: number | null | undefined, digits = 1): string =>
  share === null || share === undefined ? '–' : `${(100 * share).toFixed(digits)}\u00a0%`;

// For axes and curves: no needless decimals.
export const share = (value: number): string => `${Number((100 * value).toFixed(1))}\u00a0%`;

export function seconds(value: number): string {
  if (value < 10) return `${value.toFixed(1)}\u00a0s`;
  if (value < 90) return `${Math.round(value)}\u00a0s`;
  if (value < 5400) return `${Math.round(value / 60)}\u00a0min`;
  return `${Math.round(value / 3600)}\u00a0h`;
}

// The same for a sentence that came from the coordinator.
export const tied = (sentence: string): string => sentence.replace(/(\d) (s|ms|min|h|%|B|kB|MB|GB)(?![a-z])/g, '$1\u00a0$2');

export function ago(then: number, now = Date.now()): string {
  if (!then) return 'never';
  const s = Math.max(0, (now - then) / 1000);
  if (s < 5) return 'just now';
  return s < 10 ? `${Math.round(s)}\u00a0s ago` : `${seconds(s)} ago`;
}

export const instant = (ms: number): string => new Date(ms).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });

export const short = (id: string): string => (id.length > 14 ? `${id.slice(0, 12)}…` : id);

// A name stays on one line while it is short enough for that.
export const whole = (name: string): string => (name.length <= 20 ? name.replaceAll(' ', '\u00a0') : name);

export const plural = (n: number, noun: string): string => `${number(n)} ${noun}${n === 1 ? '' : 's'}`;

const words = ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten', 'eleven', 'twelve'];
export const word = (n: number): string => words[n] ?? number(n);
export const Word = (n: number): string => word(n).replace(/^./, (c) => c.toUpperCase());

export function save(name: string, content: BlobPart, type: string): void {
  const url = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

export function csv(rows: (string | number)[][]): string {
  return rows.map((row) => row.map((cell) => (/[",\n]/.test(String(cell)) ? `"${String(cell).replaceAll('"', '""')}"` : cell)).join(',')).join('\r\n') + '\r\n';
}

// 1, 2, 3, 5 -> "1 to 3, 5"
export function spans(rounds: number[]): string {
  const out: [number, number][] = [];
  for (const round of rounds) {
    const last = out.at(-1);
    if (last && last[1] === round - 1) last[1] = round;
    else out.push([round, round]);
  }
  return out.map(([a, b]) => (a === b ? `${a}` : b === a + 1 ? `${a}, ${b}` : `${a} to ${b}`)).join(', ');
}
