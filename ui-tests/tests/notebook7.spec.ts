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
  await lab.restart();
  await expect(lab.panel).toContainText('is not loaded');
});
