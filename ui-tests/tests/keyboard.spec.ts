import type { Locator } from '@playwright/test';

import { expect, test } from './lab';

const WORK = `%%jit --static n
import jax.numpy as jnp
def scaled(x, n):
    return x * n
def conditional_double(x, threshold):
    if x > threshold:
        return x * 2
    return x`;

test('without a mouse: opened, walked through, a fix put in, a cache cleared, and back to the notebook', async ({
  lab
}) => {
  const { keyboard } = lab.page;
  /** Press a key until the focus is where it is wanted. */
  const until = async (key: string, wanted: Locator): Promise<void> => {
    for (let press = 0; press < 25; press++) {
      await keyboard.press(key);
      if (await wanted.evaluate(node => node === document.activeElement)) {
        return;
      }
    }
    throw new Error(`25 times ${key}, and the focus is elsewhere`);
  };
  await lab.open('keyboard.ipynb');
  await lab.run(
    '%load_ext jupyter_jitmagic\nimport jupyter_jitmagic as jm; jm.options.tell_after_s = 0'
  );
  await lab.run(WORK);
  await lab.run('for n in range(1, 5): scaled(jnp.ones(3), n)');
  await lab.run('conditional_double(jnp.float32(3), 1.0)');

  // the palette opens the panel, and the focus is in its filter
  await keyboard.press('Control+Shift+c');
  await keyboard.type('JIT Caches');
  await expect(
    lab.page.locator('.lm-CommandPalette-item.lm-mod-active')
  ).toContainText('JIT Caches');
  await keyboard.press('Enter');
  const filter = lab.panel.getByRole('searchbox');
  await expect(filter).toBeFocused();
  await keyboard.type('scaled');
  await expect(lab.grid.getByRole('row')).toHaveCount(2); // and the head
  await keyboard.press('Escape');

  // the tree: down, open, to an entry, its details and their tabs
  await until('Tab', lab.grid);
  await keyboard.press('Home');
  await keyboard.press('ArrowRight');
  await keyboard.press('ArrowDown');
  await keyboard.press('ArrowDown');
  await keyboard.press('Enter');
  const entry = lab.panel.getByRole('region', { name: 'Entry of scaled' });
  await expect(entry).toContainText(/n=\d/);
  await until('Tab', entry.getByRole('tab', { name: 'Summary' }));
  await keyboard.press('ArrowRight');
  await expect(entry.locator('table[data-differs] tbody tr')).toContainText([
    'n'
  ]);
  await keyboard.press('ArrowRight');
  await keyboard.press('ArrowRight');
  await expect(entry).toContainText('{ lambda ;');
  await keyboard.press('Escape');
  await expect(entry).toBeHidden();
  await expect(lab.grid).toBeFocused();

  // the misses: arrows go from one to the next
  await until('Tab', lab.misses);
  await keyboard.press('Home');
  await keyboard.press('ArrowDown');
  await expect(lab.misses.locator('li[data-active]')).toHaveAttribute(
    'aria-posinset',
    '2'
  );

  // what to fix: it is opened and put in
  await until(
    'Shift+Tab',
    lab.todos.getByRole('button', { name: 'See fix of conditional_double' })
  );
  await keyboard.press('Enter');
  const advice = lab.panel.getByRole('region', {
    name: 'Advice for conditional_double'
  });
  const put = advice.getByRole('button', { name: 'Apply', exact: true });
  await expect(put.first()).toBeVisible();
  await until('Tab', put.first());
  await keyboard.press('Enter');
  const cell = lab.page.locator('.jp-Notebook .jp-CodeCell').nth(2);
  await expect(cell).toContainText('jnp.where');
  await expect(advice).toContainText('It is in the cell');
  await keyboard.press('Escape');

  // a cache is cleared from the row's menu
  await expect(lab.grid).toBeFocused();
  await keyboard.press('Home');
  await keyboard.press('Shift+F10');
  await expect(lab.page.getByRole('menu')).toBeVisible();
  for (let item = 0; item < 3; item++) {
    await keyboard.press('ArrowDown');
  }
  await expect(lab.page.locator('.lm-Menu-item.lm-mod-active')).toHaveText(
    /Clear scaled's Cache/
  );
  await keyboard.press('Enter');
  await expect(lab.panel).toContainText('scaled: 4 entries cleared.');

  // back to the notebook, and from a line in it to its row in the panel
  await lab.grid.focus();
  await keyboard.press('Escape');
  const notebook = lab.page.locator('.jp-NotebookPanel');
  await expect(notebook.locator(':focus')).toHaveCount(1);
  await lab.closePanel();
  const link = notebook.getByText('Show in the panel').first();
  await link.focus();
  await keyboard.press('Enter');
  await expect(
    lab.panel.getByRole('region', { name: 'Advice on the misses of scaled' })
  ).toBeVisible();
});
