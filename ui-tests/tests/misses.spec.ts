import { expect, test } from './lab';

const SCALED = `%%jit --static n
import jax.numpy as jnp
def scaled(x, n):
    return x * n`;

test('advice on misses is taken, a line in the notebook leads to its miss, and a pause is told', async ({
  lab
}) => {
  await lab.openAlone('misses.ipynb');
  await lab.openPanel();
  await lab.run(
    '%load_ext jupyter_jitmagic\nimport jupyter_jitmagic as jm; jm.options.tell_after_s = 0'
  );
  await lab.run(SCALED);
  await lab.run('for n in range(1, 6): scaled(jnp.ones(3), n)');

  // advice with its proof, the change before it is made, and the change made and taken back
  await lab.todos
    .getByRole('button', { name: /See (fix|advice)/ })
    .last()
    .click();
  const cure = lab.panel.getByRole('region', {
    name: 'Advice on the misses of scaled'
  });
  await expect(cure).toContainText('need not be static');
  await expect(cure).toContainText('Proof: traced without its value');
  await expect(cure).toContainText('-%%jit --static n');
  await lab.shot('cure', lab.panel);
  await lab.accessible();
  const cell = lab.page.locator('.jp-Notebook .jp-CodeCell').nth(2);
  await expect(cell).toContainText('%%jit --static n');
  await cure.getByRole('button', { name: 'Apply', exact: true }).click();
  await expect(cure).toContainText('It is in the cell');
  await expect(cell).not.toContainText('--static');
  await cell.locator('.cm-content').click();
  await lab.page.keyboard.press('Control+z');
  await expect(cell).toContainText('%%jit --static n');
  await cure.getByRole('button', { name: 'Close' }).click();

  // the one line below the cell opens the panel at the advice that it tells
  await lab.closePanel();
  const told = lab.page.locator('.jp-OutputArea-output', {
    has: lab.page.getByText('Show in the panel')
  });
  await expect(told).toHaveCount(1);
  await expect(told).toContainText('it need not be static');
  await told.getByText('Show in the panel').click();
  await expect(cure).toBeVisible();
  await cure.getByRole('button', { name: 'Close' }).click();

  // and that of a recompile without advice at its miss
  await lab.run('scaled(jnp.ones(4), 5);');
  await lab.closePanel();
  await told
    .filter({ hasText: 'scaled recompiled' })
    .getByText('Show in the panel')
    .click();
  await expect(lab.panel).toBeVisible();
  await expect(lab.misses.locator('li[data-selected]')).toContainText(
    'x now f32[4] and before f32[3]'
  );
  await expect(
    lab.panel.getByRole('region', { name: 'Entry of scaled' })
  ).toContainText('n=5');
  await lab.shot('miss-from-link', lab.panel);

  // paused: calls go on and are not counted, and the panel says so
  const calls = lab.cell(lab.row('scaled').first(), 'hits');
  await expect(calls).toHaveText('0');
  await lab.panel.getByRole('button', { name: 'More actions' }).click();
  await lab.page.getByRole('menuitem', { name: 'Pause Recording' }).click();
  await expect(lab.panel).toContainText(/Recording paused since \d\d:\d\d/);
  await lab.shot('paused', lab.panel);
  await lab.accessible();
  await lab.run('for n in range(1, 9): scaled(jnp.ones(3), n)');
  await lab.panel.getByRole('button', { name: 'Resume' }).click();
  await expect(lab.panel).toContainText('Recording again');
  await expect(lab.panel).not.toContainText('Recording paused');
  await lab.run('scaled(jnp.ones(3), 5);');
  await expect(calls).toHaveText('1');

  // columns are chosen in the head, and kept with the settings
  const share = lab.grid.getByRole('columnheader', { name: 'Share' });
  await expect(share).toBeHidden();
  await lab.grid
    .getByRole('columnheader', { name: 'Function' })
    .click({ button: 'right' });
  await lab.shot('columns-menu');
  await lab.page.locator('.lm-Menu-item', { hasText: 'Share' }).click();
  await expect(share).toBeVisible();
  await expect
    .poll(async () => {
      const settings = '/lab/api/settings/jupyter-jitmagic:panel';
      const answer = await lab.page.request.get(settings);
      return ((await answer.json()) as { raw: string }).raw;
    })
    .toContain('share');

  // the border above the details is moved by keyboard and by hand
  const details = lab.panel.locator('.jp-JitMagic-details');
  const height = async (): Promise<number> =>
    (await details.boundingBox())!.height;
  const border = lab.panel.getByRole('separator', {
    name: 'Height of the details'
  });
  const before = await height();
  await border.focus();
  await lab.page.keyboard.press('ArrowDown');
  await lab.page.keyboard.press('ArrowDown');
  expect(Math.abs((await height()) - before + 48)).toBeLessThan(2);
  const box = (await border.boundingBox())!;
  await lab.page.mouse.move(box.x + 50, box.y + 2);
  await lab.page.mouse.down();
  await lab.page.mouse.move(box.x + 50, box.y - 34);
  await lab.page.mouse.up();
  expect(Math.abs((await height()) - before + 12)).toBeLessThan(3);
});
