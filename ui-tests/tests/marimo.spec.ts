import { expect, test } from '@playwright/test';

// `JITMAGIC_UI_APP=marimo` runs this one alone
test('the panel as a widget in marimo: the rows, live while a cell runs, and answers', async ({
  page
}) => {
  const errors: string[] = [];
  page.on('pageerror', error => errors.push(`${error}\n${error.stack}`));
  await page.goto('/');
  const widget = page.locator('.jp-JitMagic-widget');
  const row = widget.getByRole('row').filter({ hasText: 'scaled' }).first();
  const misses = row.locator('[data-column="misses"]');
  await expect(misses).toHaveText('5', { timeout: 60_000 });
  await expect(widget).toHaveAttribute('data-scheme', 'light');

  // in the middle of a cell
  await page.getByRole('button', { name: 'Compile more' }).click();
  await expect(misses).toHaveText('6');
  await expect(page.getByText('it has ended')).toHaveCount(0);
  await expect(page.getByText('it has ended')).toBeVisible();

  // a question, and advice without a cell to change
  await row.click();
  await widget.getByRole('row').filter({ hasText: 'n=5' }).click();
  const entry = widget.getByRole('region', { name: 'Entry of scaled' });
  await entry.getByRole('tab', { name: 'jaxpr' }).click();
  await expect(entry).toContainText('lambda');
  await expect(widget).toContainText('take n off the static arguments');
  if (process.env.JITMAGIC_UI_SHOTS) {
    const path = `${process.env.JITMAGIC_UI_SHOTS}/marimo.png`;
    await page.screenshot({ path });
  }
  expect(errors).toEqual([]);
});
