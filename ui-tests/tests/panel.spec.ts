import { expect, test } from './lab';

const PADDED = `%%jit --static n
import jax.numpy as jnp
def padded(x, n):
    return jnp.zeros(n, x.dtype).at[: x.shape[0]].set(x)`;

/** Compiles for longer than any test waits: a long unrolled loop. */
const SLOW = `%%jit
def slow(x):
    for i in range(12000):
        x = jnp.sin(x) * (i + 1) + x[::-1]
    return x`;

test('from not loaded to a living cache, through reload and restart', async ({
  lab
}) => {
  await lab.open('lesson.ipynb');
  await lab.openPanel();
  await expect(lab.panel).toContainText('is not loaded');
  await lab.shot('unloaded');
  await lab.accessible();

  await lab.panel.getByRole('button', { name: 'Load it in a cell' }).click();
  await expect(lab.panel).toContainText('Nothing jitted yet');
  await expect(lab.page.locator('.jp-Notebook .jp-Cell').first()).toContainText(
    '%load_ext jupyter_jitmagic'
  );
  await lab.shot('loaded');

  // a function, two entries, and why the second one was compiled
  await lab.run(PADDED);
  await lab.run(
    'padded(jnp.ones(3), n=5); padded(jnp.ones(3), n=5); padded(jnp.ones(3), n=8)'
  );
  const padded = lab.row('padded');
  await expect(lab.cell(padded, 'hits')).toHaveText('1');
  await expect(lab.cell(padded, 'misses')).toHaveText('2');
  await padded.click();
  await expect(lab.row('n=5')).toBeVisible();
  await expect(lab.row('n=8')).toBeVisible();
  await expect(lab.misses).toContainText('n now 8 and before 5');
  await expect(lab.misses).toContainText('static value');

  // an entry closely: what differs, its program
  await lab.row('n=8').click();
  const details = lab.panel.getByRole('region', { name: 'Entry of padded' });
  await expect(details).toContainText(/temporaries\d+ B/); // told by the kernel when asked
  await lab.shot('entry', lab.panel);
  await details.getByRole('tab', { name: 'Differs from…' }).click();
  await expect(details.locator('table[data-differs] tbody tr')).toContainText([
    'n85static value'
  ]);
  await lab.shot('entry-differs', lab.panel);

  // its lines: what is known without running, then what was measured, each a link to its line
  await details.getByRole('tab', { name: 'Lines' }).click();
  await expect(details).toContainText('not run: equations');
  await lab.run('%jitlines padded padded(jnp.ones(3), n=8)');
  await details.getByRole('tab', { name: 'Summary' }).click();
  await details.getByRole('tab', { name: 'Lines' }).click();
  await expect(details.getByRole('columnheader')).toContainText(['time']);
  await lab.shot('entry-lines', lab.panel);
  await lab.accessible();
  await details.getByRole('button', { name: '4', exact: true }).click();
  await expect(
    lab.page.locator('.jp-Notebook .jp-mod-active .cm-content')
  ).toContainText('def padded');
  await details.getByRole('tab', { name: 'jaxpr' }).click();
  await expect(details).toContainText('{ lambda ;'); // no colours of a terminal
  await lab.shot('entry-jaxpr', lab.panel);
  await details.getByRole('tab', { name: 'HLO', exact: true }).click();
  await expect(details).toContainText('HloModule jit_padded');
  await details.getByRole('button', { name: 'Close' }).click();

  // from a miss to the cell that called
  await lab.misses
    .getByRole('button', { name: /^cell \[\d+\] line 1$/ })
    .first()
    .click();
  await expect(
    lab.page.locator('.jp-Notebook .jp-mod-active .cm-content')
  ).toContainText('padded(jnp.ones(3), n=8)');

  // hits while the cell runs
  await lab.start(
    'import time\nfor _ in range(600):\n    padded(jnp.ones(3), n=5); time.sleep(0.01)'
  );
  await expect
    .poll(async () => Number(await lab.cell(padded, 'hits').textContent()))
    .toBeGreaterThan(20);
  expect(await lab.busy()).toBe(true);
  await expect(lab.cell(padded, 'hits')).toHaveText('602', { timeout: 30_000 });

  // clearing a cache is confirmed by the kernel
  await padded.click({ button: 'right' });
  await lab.page
    .getByRole('menuitem', { name: "Clear padded's Cache" })
    .click();
  await expect(lab.panel).toContainText('padded: 2 entries cleared.');
  await expect(lab.cell(padded, 'misses')).toHaveText('2');

  // what is compiled now, seen while it is; also after a page reload in the middle of it
  await lab.run(SLOW);
  await lab.start('slow(jnp.ones(64)).sum()');
  const now = lab.panel.getByRole('group', { name: 'Compiling now' });
  await expect(now).toContainText('compiling', { timeout: 30_000 });
  await expect(now).toContainText('slow');
  await lab.shot('now');
  await lab.page.reload();
  await lab.ready();
  await lab.command('jitmagic:open', { miss: 2 }); // as a link does, before the rows are there
  const waiting = lab.panel.getByText('Waiting for the running cell to end');
  await expect(now.getByText('compiling').or(waiting).first()).toBeVisible({
    timeout: 40_000
  });
  // ipykernel 6 cannot answer before the cell ends, and that is said
  if (!(await waiting.isVisible())) {
    await expect(lab.misses.locator('li[data-selected]')).toContainText(
      'n now 8 and before 5'
    );
    await expect(lab.cell(lab.row('padded'), 'hits')).toHaveText('602');
    await now.getByRole('button', { name: 'Stop' }).click();
    await expect(lab.panel).toContainText(
      /it takes effect when XLA returns|slow was interrupted/
    );
  }

  // the truth after a restart, though XLA has not returned
  await lab.restart();
  await expect(lab.panel).toContainText('is not loaded');
  await expect(lab.panel).not.toContainText('padded');
  await lab.panel.getByRole('button', { name: 'Load it in a cell' }).click();
  await expect(lab.panel).toContainText('Nothing jitted yet');
  const loads = lab.page.locator('.jp-CodeCell', { hasText: '%load_ext' });
  await expect(loads).toHaveCount(1); // the cell of before was run again
});

test('follows the current notebook, and a console on its kernel', async ({
  lab
}) => {
  await lab.open('one.ipynb');
  await lab.openPanel();
  await lab.run('%load_ext jupyter_jitmagic');
  await lab.run(PADDED);
  await lab.run('padded(jnp.ones(3), n=5)');
  await expect(lab.row('padded')).toBeVisible();

  await lab.newNotebook('two.ipynb');
  await expect(lab.panel).toContainText('two.ipynb');
  await expect(lab.panel).toContainText('is not loaded');
  await expect(lab.panel).not.toContainText('padded');

  await lab.show('one.ipynb');
  const switched = Date.now();
  await expect(lab.row('padded')).toBeVisible();
  console.log(`back to a notebook: shown after ${Date.now() - switched} ms`);

  await lab.command('notebook:create-console');
  await expect(lab.panel.locator('.jp-JitMagic-source')).toHaveAttribute(
    'data-kind',
    'console'
  );
  await expect(lab.row('padded')).toBeVisible();
  await lab.show('one.ipynb');

  await lab.page.evaluate(async () => {
    const { context } = (window as any).jupyterapp.shell.currentWidget;
    await context.rename('renamed.ipynb');
  });
  await expect(lab.panel).toContainText('renamed.ipynb');
  await expect(lab.row('padded')).toBeVisible();
});
