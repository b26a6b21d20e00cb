export function makeSample(): Uint8Array;
