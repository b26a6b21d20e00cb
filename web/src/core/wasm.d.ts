// Where the files of the modules lie.
declare module '#wasm/*?url' {
  const url: string;
  export default url;
}

// A file as text.
declare module '*?raw' {
  const text: string;
  export default text;
}
