import type { Locator } from '@playwright/test';

import { expect, test } from './lab';

const SCALED = `%%jit --static n
import jax.numpy as jnp
def scaled(x, n):
    return x * n`;
const wait = (file: string): string =>
  `import pathlib, time\nwhile not pathlib.Path("${file}").exists(): time.sleep(0.02)`;

/** The row of `scaled` in a panel below a cell. */
function scaled(widget: Locator): Locator {
  return widget.getByRole('row').filter({ hasText: 'scaled' }).first();
}

test('the panel as a widget below a cell: the same rows, live, and questions answered while a cell runs', async ({
  lab
}) => {
  await lab.open('widget.ipynb');
  const seen = `seen-${test.info().retry}`; // a second try waits for a file of its own
  await lab.run(
    'import jupyter_jitmagic as jm\njm.options.tell_after_s = 0\njm.panel()'
  );
  const widget = lab.page.locator('.jp-OutputArea .jp-JitMagic-widget');
  await expect(widget).toContainText('Nothing jitted yet');
  await lab.run(SCALED);
  await lab.run('for n in range(1, 6): scaled(jnp.ones(3), n)');
  const misses = scaled(widget).locator('[data-column="misses"]');
  await expect(misses).toHaveText('5');
  await lab.shot('widget', widget);

  // in the middle of a cell: what it compiles, and an entry's program, which the kernel is asked for
  await lab.start(`scaled(jnp.ones(3), 6)\n${wait(seen)}`);
  await expect(misses).toHaveText('6');
  await scaled(widget).click();
  await widget.getByRole('row').filter({ hasText: 'n=5' }).click();
  const entry = widget.getByRole('region', { name: 'Entry of scaled' });
  await entry.getByRole('tab', { name: 'jaxpr' }).click();
  const go = (): Promise<unknown> =>
    lab.page.request.put(`/api/contents/${seen}`, {
      data: { type: 'file', format: 'text', content: '' }
    });
  expect(await lab.busy()).toBe(true);
  if (!(await lab.hasSubshells())) {
    await go(); // ipykernel 6 answers when the cell has ended
  }
  await expect(entry).toContainText('lambda');
  await lab.shot('widget-busy', widget);
  await go();

  // advice, with the changed cell to copy: a widget cannot edit the notebook
  await widget
    .getByRole('button', { name: /See (fix|advice)/ })
    .first()
    .click();
  const cure = widget.getByRole('region', {
    name: 'Advice on the misses of scaled'
  });
  await expect(cure).toContainText('-%%jit --static n');
  await expect(
    cure.getByRole('button', { name: 'Copy the changed cell' })
  ).toBeVisible();
  await lab.accessible('.jp-OutputArea .jp-JitMagic-widget');
  await lab.shot('widget-advice', widget);

  // a second view of the same widget, and the panel in the sidebar beside it
  await lab.openPanel();
  await lab.run('jm.panel(300)');
  await expect(widget).toHaveCount(2);
  await lab.run('scaled(jnp.ones(3), 7);');
  await expect(
    scaled(widget.last()).locator('[data-column="misses"]')
  ).toHaveText('7');
  await expect(lab.cell(lab.row('scaled').first(), 'misses')).toHaveText('7');
  await lab.page.evaluate(() =>
    (window as any).jupyterapp.commands.execute('apputils:change-theme', {
      theme: 'JupyterLab Dark'
    })
  );
  await lab.shot('widget-dark');
  await lab.page.evaluate(() =>
    (window as any).jupyterapp.commands.execute('apputils:change-theme', {
      theme: 'JupyterLab Light'
    })
  );

  // unloaded, the widget says so, and shows nothing old
  await lab.run('%unload_ext jupyter_jitmagic');
  await expect(widget.first()).toContainText('is not loaded');
  await lab.run('%load_ext jupyter_jitmagic\njm.panel()');
  await expect(scaled(widget.last())).toBeVisible();
});

const RECORDS = `import pathlib, subprocess, sys
pathlib.Path("train.py").write_text('''
import sys
import jax.numpy as jnp
import jupyter_jitmagic as jm
jm.record_to("runs", run=sys.argv[1])
@jm.jit
def step(x):
    return (x * 2).sum()
for rows in range(3, 5 + int(sys.argv[2])):
    step(jnp.ones(rows)); step(jnp.ones(rows))
''')
for run, more in (("before", "0"), ("after", "2"), ("after", "0")):
    subprocess.run([sys.executable, "train.py", run, more], check=True)`;

test('the panel of a folder shows what other processes recorded, and nothing of this kernel', async ({
  lab
}) => {
  await lab.open('folder.ipynb');
  await lab.run('%load_ext jupyter_jitmagic');
  await lab.run(RECORDS);
  await lab.run(SCALED);
  await lab.run(
    'import jupyter_jitmagic as jm\nscaled(jnp.ones(3), 2)\njm.panel(folder="runs")'
  );
  const widget = lab.page.locator('.jp-OutputArea .jp-JitMagic-widget');
  const row = (name: string): Locator =>
    widget.getByRole('row').filter({ hasText: name }).first();
  await expect(
    row('step · after/0').locator('[data-column="misses"]')
  ).toHaveText('4');
  await expect(
    row('step · before').locator('[data-column="misses"]')
  ).toHaveText('2');
  await expect(widget).not.toContainText('scaled');
  await expect(widget).not.toContainText('00:00:00');
  await lab.shot('folder', widget);
  await row('step · after/0').click();
  await widget.getByRole('row').filter({ hasText: 'f32[6]' }).first().click();
  const entry = widget.getByRole('region', { name: /Entry of step/ });
  await entry.getByRole('tab', { name: 'jaxpr' }).click();
  await expect(entry).toContainText('was recorded by another process');
  await lab.shot('folder-entry', widget);
});
