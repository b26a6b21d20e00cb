// Where the files of the modules lie.
declare module '#wasm/*?url' {
  const url: string;
  export default url;
}
