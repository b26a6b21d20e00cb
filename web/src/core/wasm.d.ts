declare module '#wasm/entente.mjs' {
  export interface Module {
    HEAPU8: Uint8Array<ArrayBuffer>;
    _malloc(size: number): number;
    _free(pointer: number): void;
    [name: `_ent_${string}`]: ((...args: number[]) => number) | undefined;
  }
  export default function factory(options: { wasmBinary: Uint8Array | ArrayBuffer }): Promise<Module>;
}

declare module '#wasm/slices.mjs' {
  export { default } from '#wasm/entente.mjs';
}

// Files of the module with threads and of the one without.
declare module '#wasm/*?url' {
  const url: string;
  export default url;
}
