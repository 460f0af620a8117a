import { expect, test } from './lab';

// `JITMAGIC_UI_APP=notebook` runs this one alone; else the others run
test('the same panel in Notebook 7', async ({ lab }) => {
  await lab.createNotebook('seven.ipynb');
  await lab.page.goto('/notebooks/seven.ipynb');
  await lab.ready();
  await lab.idle();
  await lab.openPanel();
  await expect(lab.panel).toContainText('is not loaded');
  await lab.panel.getByRole('button', { name: 'Load it in a cell' }).click();
  await expect(lab.panel).toContainText('Nothing jitted yet');
  await lab.run(
    '%%jit\nimport jax.numpy as jnp\ndef scaled(x, n):\n    return x * n'
  );
  await lab.run('scaled(jnp.ones(3), 2.0); scaled(jnp.ones(3), 2.0)');
  await expect(lab.cell(lab.row('scaled'), 'misses')).toHaveText('1');
  await lab.shot('notebook7');

  // menus come from the plugin's schema
  await lab.panel.getByRole('button', { name: 'More actions' }).click();
  await expect(
    lab.page.getByRole('menuitem', { name: 'Pause Recording' })
  ).toBeVisible();
  await lab.page.keyboard.press('Escape');

  // a failed trace: its link leads to the advice, and the fix is put into the cell
  await lab.run(
    '%%jit\ndef halved(x):\n    if x.sum() > 0:\n        return x / 2\n    return x\n\nhalved(jnp.ones(3))'
  );
  await lab.page.getByText('Show in the panel').click();
  const advice = lab.panel.getByRole('region', { name: 'Advice for halved' });
  await expect(advice).toContainText('jnp.where');
  await lab.shot('notebook7-advice');
  await advice
    .getByRole('button', { name: 'Apply', exact: true })
    .first()
    .click();
  await expect(
    lab.page
      .locator('.jp-CodeCell', { hasText: 'def halved' })
      .locator('.cm-content')
  ).toContainText('jnp.where');
  await expect(advice).toContainText('It is in the cell');

  // a line of the panel leads to its line in the notebook
  await lab.misses
    .getByRole('button', { name: /cell \[\d+\]/ })
    .first()
    .click();
  await expect(
    lab.page.locator('.jp-CodeCell.jp-mod-active .cm-content')
  ).toContainText('scaled(jnp.ones(3), 2.0)');

  // and the same as a widget below a cell
  await lab.run('import jupyter_jitmagic as jm\njm.panel()');
  const widget = lab.page.locator('.jp-OutputArea .jp-JitMagic-widget');
  await expect(
    widget.getByRole('row').filter({ hasText: 'scaled' }).first()
  ).toContainText('1');
  await lab.shot('notebook7-widget');

  await lab.restart();
  await expect(lab.panel).toContainText('is not loaded');
  await expect(widget).toContainText('Connection to the kernel lost');
});
