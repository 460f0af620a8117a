/** Programs in tabs: read, searched, from a line to its source and back, and two of them as a difference. */
import type { Locator } from '@playwright/test';

import { type Lab, expect, test } from './lab';

const WORK = `%%jit
import jax, jax.numpy as jnp
def helper(x):
    return jnp.sin(x) + 1
def smooth(x):
    y = helper(x) * x
    for _ in range(3):
        y = jnp.cumsum(y) - y.mean()
    return y`;

/** The tab that is shown, in the whole window or in a part of it. */
function page(lab: Lab): Locator {
  return lab.page.locator('.jp-JitMagicProgram:visible');
}

async function pictures(lab: Lab, name: string): Promise<void> {
  if (!process.env.JITMAGIC_UI_SHOTS) {
    return;
  }
  await lab.closePanel();
  await lab.command('application:toggle-left-area');
  for (const theme of ['Dark', 'Light']) {
    await lab.command('apputils:change-theme', {
      theme: `JupyterLab ${theme}`
    });
    for (const width of [420, 1600]) {
      await lab.page.setViewportSize({ width, height: 800 });
      await lab.page.waitForTimeout(300);
      await lab.shot(`program-${name}-${theme}-${width}`);
    }
  }
  await lab.command('application:toggle-left-area');
  await lab.openPanel();
}

test('a program in a tab: read, searched, led to its source; two of them compared', async ({
  lab
}) => {
  await lab.page.setViewportSize({ width: 1500, height: 800 });
  await lab.open('programs.ipynb');
  await lab.openPanel();
  await lab.run('%load_ext jupyter_jitmagic');
  await lab.run(WORK);
  await lab.run('smooth(jnp.ones(8)); smooth(jnp.ones(12));');

  // from an entry's details
  await lab.row('smooth').first().click();
  await lab.row('x.shape[0]=12').click();
  const details = lab.panel.getByRole('region', { name: 'Entry of smooth' });
  await details.getByRole('tab', { name: 'jaxpr' }).click();
  await details.getByRole('button', { name: 'Open in a tab' }).click();
  const text = page(lab).getByRole('textbox', { name: /jaxpr, read only/ });
  await expect(text).toContainText('= sin ');
  await expect(page(lab).getByRole('status')).toContainText(/\d+ lines/);
  await expect(
    lab.page.locator('.lm-TabBar-tabLabel', { hasText: 'smooth, entry' })
  ).toBeVisible();
  // coloured, numbered, and each line with its source beside it
  await expect(text.locator('.cm-line', { hasText: '= sin ' })).toContainText(
    'sin'
  );
  expect(
    await text.locator('.cm-line span[class]', { hasText: /^sin$/ }).count()
  ).toBeGreaterThan(0);
  const gutter = page(lab).locator('.jp-JitMagicProgram-sources');
  await expect(gutter).toContainText('[2] 4');
  await lab.accessible('.jp-JitMagicProgram:not(.lm-mod-hidden *)');
  await pictures(lab, 'jaxpr');

  // it cannot be changed, and the cursor's line leads to the cell
  await text.locator('.cm-line', { hasText: '= sin ' }).click();
  await lab.page.keyboard.type('x');
  await expect(text).not.toContainText('xsin');
  await expect(
    page(lab).getByRole('button', { name: 'Go to cell [2] line 4' })
  ).toBeVisible();
  await expect(page(lab).locator('.jp-JitMagicProgram-same')).not.toHaveCount(
    0
  );
  // JupyterLab's own search
  await lab.page.keyboard.press('Control+f');
  const search = lab.page.locator('.jp-DocumentSearch-overlay:visible');
  await search.getByRole('textbox').first().fill('cumsum');
  await expect(search).toContainText(/-\/\d/);
  await lab.page.keyboard.press('Enter');
  await expect(search).toContainText(/\d\/\d/);
  await lab.page.keyboard.press('Escape');
  // from a line of the source to what came of it
  const from = page(lab).getByRole('combobox', {
    name: 'Show what came from a line of source'
  });
  await from.selectOption(
    await from
      .locator('option', { hasText: 'cell [2] line 6' })
      .getAttribute('value')
  );
  await expect(
    page(lab).getByRole('button', { name: 'Go to cell [2] line 6' })
  ).toBeVisible();
  await lab.page.keyboard.press('F12');
  const cell = lab.page.locator('.jp-Notebook .jp-Cell.jp-mod-active');
  await expect(cell).toContainText('def helper');
  await lab.page
    .locator('.lm-TabBar-tabLabel', { hasText: 'smooth, entry' })
    .click();

  // the other programs of the entry
  await page(lab).getByRole('button', { name: 'StableHLO' }).click();
  await expect(page(lab)).toContainText('stablehlo.sine');
  await expect(gutter).toContainText('[2] 4');
  await pictures(lab, 'stablehlo');
  await page(lab).getByRole('button', { name: 'HLO', exact: true }).click();
  await expect(
    page(lab)
      .locator('.cm-line', { hasText: /^(ENTRY )?%.*\{$/ })
      .first()
  ).toBeInViewport(); // and XLA's tables of places above it
  await pictures(lab, 'hlo');

  // beside the other entry's, side by side and, where it is narrow, in one
  await lab.page.setViewportSize({ width: 1600, height: 800 });
  await page(lab).getByRole('button', { name: 'jaxpr' }).click();
  await page(lab)
    .getByRole('combobox', { name: 'Compare with another entry' })
    .selectOption({ index: 1 });
  await expect(page(lab).getByRole('status').first()).toHaveText(
    /^\d+ differences?$/
  );
  await expect(page(lab).getByRole('textbox')).toHaveCount(2);
  await expect(page(lab).getByRole('textbox').first()).toContainText('f32[8]');
  await page(lab).getByRole('button', { name: 'Next' }).click();
  await expect(page(lab).getByRole('textbox').last()).toBeFocused();
  await lab.page.keyboard.press('F7');
  await lab.accessible('.jp-JitMagicProgram:not(.lm-mod-hidden *)');
  await pictures(lab, 'difference');
  await lab.page.setViewportSize({ width: 1000, height: 800 });
  await expect(page(lab).getByRole('textbox')).toHaveCount(1);
  await expect(page(lab)).toContainText('f32[8]');
  // without a mouse: the next one, and its own search
  await page(lab).getByRole('textbox').focus();
  await lab.page.keyboard.press('F7');
  await lab.page.keyboard.press('Control+f');
  await expect(page(lab).locator('.cm-search')).toBeVisible();
});

test('an entry that is gone, or a kernel of another start: said in one line, and nothing old is shown as new', async ({
  lab
}) => {
  await lab.open('programs-gone.ipynb');
  await lab.openPanel();
  await lab.run('%load_ext jupyter_jitmagic');
  await lab.run(WORK);
  await lab.run('smooth(jnp.ones(8));');
  await expect(lab.row('smooth').first()).toBeVisible();
  await lab.command('jitmagic:open-program', { entry: 123456 });
  await expect(page(lab).getByRole('status')).toHaveText(
    'there is no entry 123456'
  );
  await lab.page
    .locator('.lm-TabBar-tab.lm-mod-current .lm-TabBar-tabCloseIcon')
    .first()
    .click();
  // an entry's own menu opens it
  await lab.row('smooth').first().click();
  await lab.row('f32[8]').click({ button: 'right' });
  await lab.page.getByRole('menuitem', { name: 'Open the Program' }).click();
  await expect(page(lab)).toContainText('= sin ');
});
