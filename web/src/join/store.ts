// What survives a reload: who this browser is in the federation, its key, its data and what it has seen.
//
// IndexedDB only. The key seed is encrypted under a key that the browser does not hand out, where it has one (a
// secure context); elsewhere it lies there as it is.
import type { Crossing, Point, TableMapping } from '../core/core.ts';

export interface StoredCrossing extends Crossing {
  at: number;
}

export interface Session {
  code: string;
  participant: string;
  name: string;
  token: string;
  acceptedBy: string;
  coordinatorKey: string;
  plan: ArrayBuffer; // the signed envelope
  sealed: SealedSeed;
  next?: SealedSeed; // a key that is about to take its place: from before the coordinator is asked until it has answered
  state: 'joined' | 'left' | 'finished';
  paused: boolean;
  dataName: string;
  history: { points: Point[]; crossings: StoredCrossing[]; losses: [number, number][]; final?: FinalScores };
}

// Of the models at the end, on all held-out rows.
export interface FinalScores {
  together: number | null;
  alone: number | null;
  metrics?: { together?: (number | null)[]; alone?: (number | null)[] }; // of a table: all of the task's
}

export type StoredData = StoredDigits | StoredTable;

export interface StoredTable {
  file: Blob;
  mapping: TableMapping;
}

export interface StoredDigits {
  images: ArrayBuffer;
  labels: ArrayBuffer;
  testImages?: ArrayBuffer;
  testLabels?: ArrayBuffer;
}

type SealedSeed = { plain: Uint8Array } | { key: CryptoKey; iv: Uint8Array<ArrayBuffer>; sealed: ArrayBuffer };

function request<T>(of: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    of.onsuccess = () => resolve(of.result);
    of.onerror = () => reject(of.error);
  });
}

let opened: Promise<IDBDatabase> | undefined;
function database(): Promise<IDBDatabase> {
  opened ??= (() => {
    const open = indexedDB.open('entente', 1);
    open.onupgradeneeded = () => open.result.createObjectStore('store');
    return request(open);
  })();
  return opened;
}

async function get<T>(key: string): Promise<T | undefined> {
  const db = await database();
  return request(db.transaction('store').objectStore('store').get(key)) as Promise<T | undefined>;
}

async function put(key: string, value: unknown): Promise<void> {
  const db = await database();
  const transaction = db.transaction('store', 'readwrite');
  transaction.objectStore('store').put(value, key);
  await new Promise<void>((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = transaction.onerror = () => reject(transaction.error);
  });
}

async function remove(key: string): Promise<void> {
  const db = await database();
  await request(db.transaction('store', 'readwrite').objectStore('store').delete(key));
}

export const store = {
  session: () => get<Session>('session'),
  saveSession: (session: Session) => put('session', session),
  data: () => get<StoredData>('data'),
  saveData: (data: StoredData) => put('data', data),
  removeData: () => remove('data'),
  update: () => get<Uint8Array<ArrayBuffer>>('update'),
  saveUpdate: (envelope: Uint8Array<ArrayBuffer>) => put('update', envelope),
  state: () => get<Uint8Array<ArrayBuffer>>('state'), // of the participant: see KeepState in core
  saveState: (state: Uint8Array<ArrayBuffer>) => put('state', state),
  log: () => get<string>('log'), // the coordinator's checkpoint that was seen last
  saveLog: (note: string) => put('log', note),
  async forget(): Promise<void> {
    await remove('log');
    await remove('state');
    await remove('session');
    await remove('update');
    await remove('data');
  },
};

export async function sealSeed(seed: Uint8Array<ArrayBuffer>): Promise<SealedSeed> {
  if (!globalThis.crypto?.subtle) return { plain: seed };
  const key = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
  const iv = crypto.getRandomValues(new Uint8Array(12));
  return { key, iv, sealed: await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, key, seed) };
}

export async function openSeed(sealed: SealedSeed): Promise<Uint8Array> {
  if ('plain' in sealed) return sealed.plain;
  return new Uint8Array(await crypto.subtle.decrypt({ name: 'AES-GCM', iv: sealed.iv }, sealed.key, sealed.sealed));
}
