/** The report that `%jitstats --save` writes: opened as a file, sorted, all of its rows shown. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import AxeBuilder from '@axe-core/playwright';

import { expect, test } from './lab';
import { SAMPLE } from './records';

const CALLS = `import jupyter_jitmagic as jm, jax.numpy as jnp
scaled = jm.jit(lambda x: x * 2)
for n in range(1, 4):
    for _ in range(400): scaled(jnp.ones(n))`;

test('a saved report stands alone: every row, sorted by a click or a key, light and dark', async ({
  lab
}) => {
  await lab.open('report.ipynb');
  await lab.run('%load_ext jupyter_jitmagic');
  await lab.run(CALLS);
  await lab.run(SAMPLE);
  await lab.run('%jitstats --save report.html');
  const text = await (await lab.page.request.get('/files/report.html')).text();
  const file = join(process.env.JITMAGIC_UI_FOLDER!, 'report.html');
  writeFileSync(file, text);
  const context = await lab.page.context().browser()!.newContext();
  const page = await context.newPage();
  const errors: string[] = [];
  page.on('pageerror', error => errors.push(String(error)));
  page.on('request', each => {
    if (!each.url().startsWith('file:')) {
      errors.push(each.url());
    }
  });
  await page.goto(`file://${file}`);
  await expect(page.locator('.environment')).toContainText('jaxlib');
  await expect(
    page.getByRole('img', { name: /^What each function did when/ })
  ).toBeVisible();
  const entries = page.getByRole('group', { name: 'Entries', exact: true });
  const costs = entries.locator('tbody tr td:first-child');
  const head = entries.getByRole('columnheader', { name: 'compile' });
  await head.getByRole('button').click();
  await expect(head).toHaveAttribute('aria-sort', 'descending');
  await expect(costs.first()).toHaveText('value_function_iteration'); // 850 ms
  await head.getByRole('button').press('Enter');
  await expect(head).toHaveAttribute('aria-sort', 'ascending');
  await expect(costs.last()).toHaveText('value_function_iteration');
  const calls = page.getByRole('group', { name: 'Calls', exact: true });
  await expect(calls.locator('tbody tr')).toHaveCount(1000);
  await page.getByRole('button', { name: 'show 1000 more' }).click();
  await expect(calls.locator('tbody tr')).toHaveCount(1200);
  for (const colorScheme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme });
    await page.evaluate(() => window.scrollTo(0, 0));
    for (const width of [420, 1600]) {
      await page.setViewportSize({ width, height: 900 });
      await lab.shot(`report-${colorScheme}-${width}`, page);
    }
    const { violations } = await new AxeBuilder({ page })
      .exclude('tbody tr:nth-child(n + 4)') // more of the same
      .disableRules(['region', 'landmark-one-main']) // a page without parts of a site
      .analyze();
    expect(violations.map(({ id, nodes }) => [id, nodes[0].html])).toEqual([]);
  }
  expect(errors).toEqual([]);
  await context.close();
});
