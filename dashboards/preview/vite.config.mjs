// Built where the packages are, in tests/.cache/preview, to which `run` copies this folder. Questions to /api go to the Prometheus of
// $PROMETHEUS; the dashboards of $DASHBOARDS are served beside the page.
import { fileURLToPath } from 'node:url';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

export default {
  publicDir: process.env.DASHBOARDS,
  resolve: {
    alias: [
      // It has no default export as bundlers want it, and Grafana's components import one.
      { find: /^react-custom-scrollbars-2$/, replacement: here('src/scrollbars.js') },
      { find: 'scrollbars-itself', replacement: here('node_modules/react-custom-scrollbars-2') },
    ],
    dedupe: ['react', 'react-dom'],
  },
  build: { chunkSizeWarningLimit: 20_000 },
  preview: { port: Number(process.env.PORT ?? 4173), strictPort: true, proxy: { '/api': process.env.PROMETHEUS ?? 'http://127.0.0.1:9090' } },
};
