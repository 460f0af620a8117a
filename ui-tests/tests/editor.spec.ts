/** In the notebook's own editor: recompiles beside the line that called, heat beside the lines of a function. */
import { type Lab, expect, test } from './lab';

const FUNCTION = `%%jit
import jax.numpy as jnp
def scaled(x):
    y = jnp.tanh(x)
    for _ in range(30):
        y = jnp.tanh(y) * 2
    return y`;
const CALLS = `import numpy as np
for n in range(2, 7):
    scaled(np.ones(n, np.float32))`;

async function pictures(lab: Lab, name: string): Promise<void> {
  if (!process.env.JITMAGIC_UI_SHOTS) {
    return;
  }
  for (const theme of ['Dark', 'Light']) {
    await lab.command('apputils:change-theme', {
      theme: `JupyterLab ${theme}`
    });
    for (const width of [900, 1600]) {
      await lab.page.setViewportSize({ width, height: 800 });
      await lab.page.waitForTimeout(200);
      await lab.shot(`editor-${name}-${theme}-${width}`);
    }
  }
}

test('a line whose calls compiled again is marked, and the mark opens the miss', async ({
  lab
}) => {
  await lab.open('editor.ipynb');
  await lab.openPanel();
  await lab.run('%load_ext jupyter_jitmagic');
  await lab.run(FUNCTION);
  await lab.run(CALLS);
  const cells = lab.page.locator('.jp-Notebook .jp-CodeCell');
  const calling = cells.nth(3);
  const mark = calling.locator('.jp-JitMagicMark');
  await expect(mark).toHaveText(/^4 recompiles, \d/);
  await expect(
    calling.locator('.cm-line', { hasText: 'scaled(np.ones' })
  ).toContainText('4 recompiles');
  await expect(lab.page.locator('.jp-JitMagicMark')).toHaveCount(1);
  await lab.accessible('.jp-JitMagicMark');
  await pictures(lab, 'marks');

  // while nothing of the rows can be seen nothing old is shown
  await lab.closePanel();
  await expect(mark).toHaveCount(0);
  await lab.openPanel();
  await expect(mark).toBeVisible();
  await mark.click();
  await expect(lab.misses.locator('li[data-selected]')).toHaveCount(1);

  // an edited cell is another one; what it was comes back with its text
  await calling.locator('.cm-content').click();
  await lab.page.keyboard.press('Control+End');
  await lab.page.keyboard.type('  ');
  await lab.page.keyboard.type('# other');
  await expect(mark).toHaveCount(0);
  for (let key = 0; key < 9; key++) {
    await lab.page.keyboard.press('Backspace');
  }
  await expect(mark).toBeVisible();
  // without a mouse: the line with the cursor
  await lab.command('jitmagic:show-line');
  await expect(lab.misses.locator('li[data-selected]')).toHaveCount(1);
});

test('the heat of a function is drawn beside its lines, until the cell is edited', async ({
  lab
}) => {
  await lab.open('heat.ipynb');
  await lab.openPanel();
  await lab.run('%load_ext jupyter_jitmagic');
  await lab.run(FUNCTION);
  await lab.run(CALLS);
  await lab.row('scaled').first().click();
  await lab.row('x.shape[0]=6').click();
  await lab.panel.getByRole('tab', { name: 'Lines' }).click();
  const heat = lab.page.locator('.jp-CodeCell .jp-JitMagicHeat');
  const panel = lab.panel.getByRole('group', { name: 'Lines of scaled' });
  await expect(panel).toContainText('jnp.tanh(y)');
  await expect(heat).toHaveCount(0);
  const wanted = lab.panel.getByRole('checkbox', {
    name: 'Beside the lines of the cell, too'
  });
  await wanted.check();
  const hot = heat.filter({ hasText: 'jnp.tanh(y) * 2' });
  await expect(hot).toBeVisible();
  const share = (await hot.getAttribute('data-share'))!;
  await expect(hot).toHaveAttribute('title', `program: ${share}`);
  await expect(
    panel.getByRole('row', { name: /jnp\.tanh\(y\)/ })
  ).toContainText(share);
  await lab.accessible();
  await pictures(lab, 'heat');
  // the unrolled loop as one, measured when it is asked for
  const loop = lab.panel.getByRole('region', { name: 'The unrolled loop' });
  await expect(loop).toContainText('The loop in line 5 was unrolled 30 times.');
  await loop.getByRole('button', { name: /^Measure as one loop/ }).click();
  await expect(loop).toContainText('scaled: as one lax.fori_loop', {
    timeout: 40_000
  });
  await expect(loop).toContainText(/compiles in .* instead of/);
  await expect(loop).toContainText('made-up arguments');
  await lab.widen(240);
  await lab.uncut();
  await lab.shot('editor-roll-240', lab.panel);
  await lab.widen(335);
  await lab.accessible();
  await pictures(lab, 'roll');
  await wanted.uncheck();
  await expect(heat).toHaveCount(0);
  await wanted.check();
  await expect(hot).toBeVisible();
  // put into the cell, that is an edit of it, too
  const cell = lab.page.locator('.jp-Notebook .jp-CodeCell').nth(2);
  await loop.getByRole('button', { name: 'Apply', exact: true }).click();
  await expect(cell).toContainText('fori_loop');
  await expect(loop).toContainText('It is in the cell');
  await expect(heat).toHaveCount(0);
});
