// The offline demo: one HTML file with everything in it.
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { defineConfig, type Plugin } from 'vite';
import { wasmDirectory } from './vite.shared.ts';
import { makeSample } from './scripts/sample.mjs';

function oneFile(): Plugin {
  return {
    name: 'one-file',
    enforce: 'post',
    // Behind Vite's own, which fills in what import() fetches.
    generateBundle: {
      order: 'post',
      handler(_options, bundle) {
        const page = bundle['demo.html'];
        if (page?.type !== 'asset') throw new Error('expected demo.html in the bundle');
        let html = String(page.source);
        for (const [name, item] of Object.entries(bundle)) {
          if (item === page) continue;
          if (item.type === 'chunk') {
            if (!item.isEntry) throw new Error(`expected one script, found also ${name}`);
            const code = item.code.replaceAll('</script', '<\\/script');
            html = html.replace(/<script type="module"[^>]*><\/script>/, () => '');
            html = html.replace('</body>', () => `<script type="module">${code}</script>\n</body>`);
          } else if (name.endsWith('.css')) {
            html = html.replace(/<link rel="stylesheet"[^>]*>/, () => `<style>${String(item.source)}</style>`);
          } else {
            throw new Error(`nothing may lie beside demo.html, found ${name}`);
          }
          delete bundle[name];
        }
        const data = (id: string, bytes: Uint8Array) =>
          `<script type="text/plain" id="${id}">${Buffer.from(bytes).toString('base64')}</script>\n`;
        const sample = makeSample();
        const wasm = readFileSync(resolve(wasmDirectory(), 'entente.wasm'));
        html = html.replace('</main>', () => `</main>\n${data('wasm', wasm)}${data('sample', sample)}`);
        page.source = html;
      },
    },
  };
}

export default defineConfig({
  root: import.meta.dirname,
  base: './',
  plugins: [oneFile()],
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact', legalComments: 'none' },
  worker: { format: 'iife' },
  build: {
    target: 'es2022',
    outDir: 'dist',
    emptyOutDir: false,
    cssCodeSplit: false,
    modulePreload: false,
    rollupOptions: { input: resolve(import.meta.dirname, 'demo.html'), output: { inlineDynamicImports: true } },
  },
});
