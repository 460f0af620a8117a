import { defineConfig } from '@playwright/test';

// started by run.mjs, which makes the folders and chooses the port
const port = process.env.JITMAGIC_UI_PORT;
const app = process.env.JITMAGIC_UI_APP ?? 'lab';
const baseURL = `http://127.0.0.1:${port}`;

export default defineConfig({
  testDir: 'tests',
  // what is measured is measured alone, after the rest
  projects:
    app === 'notebook'
      ? [{ name: 'notebook', testMatch: 'notebook7.spec.ts' }]
      : app === 'marimo'
        ? [{ name: 'marimo', testMatch: 'marimo.spec.ts' }]
        : [
            {
              name: 'lab',
              testIgnore: [
                'scale.spec.ts',
                'notebook7.spec.ts',
                'marimo.spec.ts',
                ...(process.env.JITMAGIC_UI_SHOTS ? [] : ['gallery.spec.ts'])
              ]
            },
            {
              name: 'figures',
              testMatch: 'scale.spec.ts',
              dependencies: ['lab']
            }
          ],
  timeout: 150_000,
  expect: { timeout: 10_000 },
  workers: Number(process.env.JITMAGIC_UI_WORKERS ?? 2),
  retries: 0,
  reporter: [['list']],
  outputDir: process.env.JITMAGIC_UI_OUT,
  use: {
    baseURL,
    viewport: { width: 1280, height: 800 },
    locale: 'en-GB',
    trace: 'off',
    video: 'off', // needs Playwright's own ffmpeg, which only its browser download brings
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-dev-shm-usage',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync'
      ]
    }
  },
  webServer: {
    command:
      app === 'marimo'
        ? `marimo run marimo_panel.py --headless --no-token --host 127.0.0.1 --port ${port}`
        : `jupyter ${app} --config jupyter_server_test_config.py`,
    url: app === 'marimo' ? baseURL : `${baseURL}/api/status`,
    timeout: 60_000,
    reuseExistingServer: false,
    stdout: 'ignore',
    stderr: process.env.JITMAGIC_UI_LOG ? 'pipe' : 'ignore',
    gracefulShutdown: { signal: 'SIGTERM', timeout: 5000 }
  }
});
