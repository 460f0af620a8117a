import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    environment: 'jsdom',
    include: ['labextension/src/**/*.spec.{ts,tsx}'],
    // JupyterLab's packages are ES modules without "type": "module" and without file
    // extensions in their imports: let Vite transform them instead of node
    server: { deps: { inline: [/@jupyterlab\//, /@lumino\//, /@jupyter\//] } }
  }
});
