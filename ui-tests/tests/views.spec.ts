import { expect, test } from './lab';
import { COMPILING, SAMPLE } from './records';

const LOAD = '%load_ext jupyter_jitmagic';

test('a filled cache, light and dark, narrow and wide', async ({ lab }) => {
  await lab.open('views.ipynb');
  await lab.openPanel();
  await lab.run(LOAD);
  await lab.run(SAMPLE);
  const row = lab.row('padded');
  await expect(lab.cell(row, 'hits')).toHaveText('6');
  await lab.shot('filled-default', lab.page);
  for (const width of [250, 420, 600]) {
    await lab.widen(width);
    await lab.shot(`filled-${width}`, lab.panel);
  }
  await row.click();
  await lab.row('f32[8]').click();
  await expect(lab.panel).toContainText('temporaries');
  await lab.shot('entry-600', lab.panel);
  await lab.accessible();
  await lab.command('apputils:change-theme', { theme: 'JupyterLab Dark' });
  await expect(lab.page.locator('body')).toHaveAttribute(
    'data-jp-theme-light',
    'false'
  );
  await lab.shot('dark-600', lab.panel);
  await lab.accessible();
  await lab.start(COMPILING);
  await expect(lab.panel).toContainText('compiling');
  await lab.shot('dark-now-600', lab.panel);
  await lab.widen(250);
  await lab.shot('dark-now-250', lab.panel);
  await lab.page.emulateMedia({
    forcedColors: 'active',
    reducedMotion: 'reduce'
  });
  await expect(lab.panel.locator('.jp-JitMagic-spinner')).toHaveCSS(
    'animation-name',
    'none'
  );
  await lab.widen(420);
  await lab.shot('forced-colours-420', lab.panel);
  await lab.page.emulateMedia({
    forcedColors: 'none',
    contrast: 'more',
    reducedMotion: null
  });
  await lab.shot('more-contrast-420', lab.panel);
  await lab.accessible();
  await lab.page.emulateMedia({ contrast: null });
  await lab.panel.getByRole('button', { name: 'Stop' }).click();
  await expect(lab.panel).toContainText(
    'value_function_iteration was interrupted.'
  );
  await lab.command('apputils:change-theme', { theme: 'JupyterLab Light' });
});
