import { expect, test } from './lab';

const FAILING = `%%jit
import jax.numpy as jnp
def conditional_double(x, threshold):
    if x > threshold:
        return x * 2
    return x`;

test('a failed trace: the fix is shown as a change, put into the cell, and taken back by undo', async ({
  lab
}) => {
  await lab.open('advice.ipynb');
  await lab.openPanel();
  await lab.run('%load_ext jupyter_jitmagic');
  await lab.run(FAILING);
  await lab.run('conditional_double(jnp.float32(3), 1.0)');
  // the output's link opens the panel at its advice
  await lab.command('application:toggle-right-area');
  await expect(lab.panel).toBeHidden();
  await lab.page.getByText('Show in the panel').click();
  await expect(
    lab.panel.getByRole('region', { name: 'Advice for conditional_double' })
  ).toBeVisible();
  await lab.panel.getByRole('button', { name: 'Close' }).click();
  const see = lab.todos.getByRole('button', { name: /See (fix|advice)/ });
  await expect(see).toBeVisible({ timeout: 30_000 });
  await see.click();
  const advice = lab.panel.getByRole('region', {
    name: 'Advice for conditional_double'
  });
  await expect(advice).toContainText('return jnp.where');
  await lab.shot('advice', lab.panel);
  await lab.accessible();

  const cell = lab.page.locator('.jp-Notebook .jp-CodeCell').nth(2);
  await expect(cell).toContainText('if x > threshold');
  await advice
    .getByRole('button', { name: 'Apply', exact: true })
    .first()
    .click();
  await expect(cell).toContainText('jnp.where');
  await expect(advice).toContainText('It is in the cell');
  // a second click does no harm
  await advice
    .getByRole('button', { name: 'Apply', exact: true })
    .first()
    .click();
  await expect(advice).toContainText('It is in the cell already');
  await cell.locator('.cm-content').click();
  await lab.page.keyboard.press('Control+z');
  await expect(cell).toContainText('if x > threshold');
  await expect(advice).toContainText('it is not in it any more');
  await expect(lab.todos).not.toContainText('It is in the cell');
  await lab.page.keyboard.press('Control+Shift+z');
  await expect(cell).toContainText('jnp.where');
  await expect(lab.todos).toContainText('It is in the cell');
  await lab.command('notebook:run-cell');
  await lab.run('conditional_double(jnp.float32(3), 1.0)');
  await expect(
    lab.cell(lab.row('conditional_double').first(), 'misses')
  ).toHaveText('1');
  // what became of it
  await expect(lab.todos).toContainText(/fixed in \[\d+\]: it is traced now/);
  await expect(lab.todos).not.toContainText('cannot be traced');
  await lab.shot('advice-done', lab.panel);
});
