import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  root: import.meta.dirname,
  publicDir: 'public',
  plugins: [react(), tailwindcss()],
  build: { outDir: '../dist/console', emptyOutDir: true, assetsDir: 'app', assetsInlineLimit: 0, modulePreload: { polyfill: false }, reportCompressedSize: false },
  // `npm run dev` beside a running server: pages from here, everything else from there.
  server: { proxy: { '/api': { target: 'http://127.0.0.1:8080', ws: true }, '/chat': { target: 'http://127.0.0.1:8080', ws: true }, '/assets': 'http://127.0.0.1:8080' } },
});
