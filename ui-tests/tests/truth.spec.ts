import { expect, test } from './lab';
import { SAMPLE } from './records';

const THREADS = `import threading
print("threads", sum("subshell" in t.name for t in threading.enumerate()), sum(t.name == "jitmagic-panel" for t in threading.enumerate()))`;

test('opened and closed, unloaded, killed: the panel says what is, and leaves nothing behind', async ({
  lab
}) => {
  await lab.openAlone('truth.ipynb');
  await lab.openPanel();
  await lab.run('%load_ext jupyter_jitmagic');
  await lab.run(SAMPLE);
  await expect(lab.row('padded')).toBeVisible();

  // by keyboard alone: open a function, choose an entry, close it again
  await lab.panel.getByRole('searchbox').focus();
  await lab.page.keyboard.type('padded');
  await expect(lab.grid.getByRole('row')).toHaveCount(2); // and the head
  await lab.grid.focus();
  await lab.page.keyboard.press('Home');
  await lab.page.keyboard.press('ArrowRight');
  await expect(lab.row('n=13')).toBeVisible();
  await lab.page.keyboard.press('ArrowDown');
  await lab.page.keyboard.press('ArrowDown');
  await lab.page.keyboard.press('Enter');
  const details = lab.panel.getByRole('region', { name: 'Entry of padded' });
  await expect(details).toContainText('n=8');
  await lab.page.keyboard.press('ArrowLeft');
  await lab.page.keyboard.press('ArrowLeft');
  await expect(lab.row('n=13')).toBeHidden();
  await details.getByRole('button', { name: 'Close' }).press('Enter');
  await expect(details).toBeHidden();

  // closed and opened many times: one subshell, one thread, and the same rows
  for (let round = 0; round < 8; round++) {
    await lab.command('application:toggle-right-area');
  }
  await expect(lab.panel).toBeVisible();
  await expect(lab.row('padded')).toBeVisible();
  const output = lab.page.locator('.jp-OutputArea-output', {
    hasText: /^threads/
  });
  // the panel asks the kernel in its own time, so the cell may run before it has
  const threads = (expected: RegExp): Promise<void> =>
    expect(async () => {
      await lab.run(THREADS);
      await expect(output.last()).toHaveText(expected, { timeout: 1000 });
    }).toPass({ timeout: 15_000 });
  await threads(/^threads [01] 1\s*$/); // ipykernel 6 has no subshells

  await lab.run('%unload_ext jupyter_jitmagic');
  await expect(lab.panel).toContainText('is not loaded');
  await threads(/^threads 0 0\s*$/);
  await lab.run('%load_ext jupyter_jitmagic');
  await expect(lab.row('padded')).toBeVisible();

  // the kernel dies and is started again by the server
  await lab.start('import os; os._exit(1)');
  await expect(lab.panel).toContainText('is not loaded', { timeout: 30_000 });
  const dialog = lab.page.locator('.jp-Dialog');
  await dialog.getByRole('button', { name: 'Ok' }).click();

  // and it is shut down for good
  await lab.page.evaluate(async () => {
    const { sessionContext } = (window as any).jupyterapp.shell.currentWidget;
    await sessionContext.shutdown();
  });
  await expect(lab.panel).toContainText('No kernel');
  await lab.shot('no-kernel');
});
