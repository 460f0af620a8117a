// Runs the browser tests with everything of theirs in one temporary folder: the server's files, settings and workspaces, and a
// labextensions folder that holds only this checkout's panel. Nothing is installed and nothing is left behind.
//
//   node ui-tests/run.mjs [arguments of `playwright test`]
//
// JITMAGIC_UI_PORT, JITMAGIC_UI_ROOT (the notebooks' folder) and JITMAGIC_UI_OUT (Playwright's output) may be given;
// JITMAGIC_UI_SHOTS=folder keeps screenshots of every state; JITMAGIC_UI_APP=notebook tests Notebook 7, JITMAGIC_UI_APP=marimo marimo;
// JITMAGIC_UI_INSTALLED=1 tests the package that is installed beside the `jupyter` on the path, and nothing of this checkout.
import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const repository = dirname(dirname(fileURLToPath(import.meta.url)));
const built = join(repository, 'jupyter_jitmagic', 'labextension');
const installed = process.env.JITMAGIC_UI_INSTALLED === '1';
if (!installed && !existsSync(join(built, 'package.json'))) {
  console.error('The panel is not built: run `jlpm build:prod` first.');
  process.exit(1);
}

const folder = mkdtempSync(join(tmpdir(), 'jitmagic-ui-'));
const inside = name => {
  const path = join(folder, name);
  mkdirSync(path, { recursive: true });
  return path;
};
// no question about news over the pictures
writeFileSync(
  join(
    inside('settings/@jupyterlab/apputils-extension'),
    'notification.jupyterlab-settings'
  ),
  JSON.stringify({ fetchNews: 'false', checkForUpdates: false })
);
if (!installed) {
  symlinkSync(built, join(inside('labextensions'), 'jupyter-jitmagic'));
}

const env = {
  ...process.env,
  PYTHONPATH: installed
    ? ''
    : [repository, process.env.PYTHONPATH].filter(Boolean).join(delimiter),
  PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD: '1',
  JITMAGIC_UI_FOLDER: folder,
  JITMAGIC_UI_PORT: process.env.JITMAGIC_UI_PORT ?? String(await freePort()),
  JITMAGIC_UI_ROOT: process.env.JITMAGIC_UI_ROOT ?? inside('files'),
  JITMAGIC_UI_OUT: process.env.JITMAGIC_UI_OUT ?? inside('results'),
  // the kernels compile small things: no need to take every core from the browser
  XLA_FLAGS: process.env.XLA_FLAGS ?? '--xla_cpu_multi_thread_eigen=false',
  IPYTHONDIR: inside('ipython'),
  JUPYTER_CONFIG_DIR: inside('config'),
  JUPYTER_RUNTIME_DIR: inside('runtime')
};
const cli = join(repository, 'node_modules', '@playwright', 'test', 'cli.js');
const config = join(repository, 'ui-tests', 'playwright.config.ts');
const child = spawn(
  process.execPath,
  [cli, 'test', '-c', config, ...process.argv.slice(2)],
  { env, stdio: 'inherit', cwd: repository }
);
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => child.kill(signal));
}
child.on('exit', code => {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  process.exit(code ?? 1);
});

function freePort() {
  return new Promise(resolve => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
