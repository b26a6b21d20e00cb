// The pages that the coordinator serves: the dashboard (index.html) and the join page (join.html).
import { resolve } from 'node:path';
import { defineConfig } from 'vite';
import { alias } from './vite.shared.ts';

export default defineConfig({
  root: import.meta.dirname,
  resolve: { alias },
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact', legalComments: 'none' },
  worker: { format: 'es' },
  server: { fs: { allow: ['..'] }, proxy: { '/api': 'http://127.0.0.1:8080', '/ws': { target: 'ws://127.0.0.1:8080', ws: true } } },
  build: {
    target: 'es2022',
    outDir: 'dist',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: {
      input: { index: resolve(import.meta.dirname, 'index.html'), join: resolve(import.meta.dirname, 'join.html') },
    },
  },
});
