import { expect, test } from './lab';

test('not loaded: the button loads the extension in a cell', async ({
  lab
}) => {
  await lab.open('load.ipynb');
  await lab.openPanel();
  await expect(lab.panel).toContainText('is not loaded');
  await lab.shot('unloaded');
  await lab.panel.getByRole('button', { name: 'Load it in a cell' }).click();
  await expect(lab.panel).toContainText('Nothing jitted yet');
  await expect(lab.page.locator('.jp-Notebook .jp-Cell').first()).toContainText(
    '%load_ext jupyter_jitmagic'
  );
  await lab.shot('loaded');
});
