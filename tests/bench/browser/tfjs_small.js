// As little of TensorFlow.js as trains: bundled and minified by esbuild, for what a page weighs and when it begins.
import '@tensorflow/tfjs-core/dist/register_all_gradients';
import '@tensorflow/tfjs-backend-wasm';
import { add, losses, matMul, oneHot, ready, relu, setBackend, tensor, tensor1d, train, variable } from '@tensorflow/tfjs-core';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';

export { add, losses, matMul, oneHot, ready, relu, setBackend, setWasmPaths, tensor, tensor1d, train, variable };
