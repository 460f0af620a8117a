/** A picture of every state at every width, light, dark and in the system's own colours: `JITMAGIC_UI_SHOTS=folder`, else not run. */
import { type Lab, test } from './lab';
import { COMPILING, SAMPLE } from './records';

const SCHEMES: [string, string, 'none' | 'active'][] = [
  ['light', 'JupyterLab Light', 'none'],
  ['dark', 'JupyterLab Dark', 'none'],
  ['forced', 'JupyterLab Light', 'active']
];

/** Two functions whose trace fails and one with advice on its misses, for real. */
const WORK = `
import jax, jax.numpy as jnp, jupyter_jitmagic as jm
jm.options.tell_after_s = 0`;
const SCALED = `%%jit --static n
def scaled(x, n):
    return x * n`;
const FAILING = `%%jit
def conditional_double(x, threshold):
    if x > threshold:
        return x * 2
    else:
        return x`;

async function pictures(
  lab: Lab,
  name: string,
  widths: number[],
  schemes = SCHEMES
): Promise<void> {
  for (const [scheme, theme, forcedColors] of schemes) {
    await lab.command('apputils:change-theme', { theme });
    await lab.page.emulateMedia({ forcedColors });
    for (const width of widths) {
      await lab.widen(width);
      await lab.page.waitForTimeout(60);
      await lab.shot(`${name}-${scheme}-${width}`, lab.panel);
    }
  }
}

/** Say how things stand as the kernel link would. */
async function stand(lab: Lab, link: string): Promise<void> {
  await lab.page.evaluate(wanted => {
    const { shell } = (window as any).jupyterapp;
    const panel = [...shell.widgets('right')].find(
      (each: any) => each.id === 'jitmagic-panel'
    );
    panel.model.setLink(wanted);
  }, link);
}

async function forget(lab: Lab, link: string): Promise<void> {
  await lab.page.evaluate(wanted => {
    const { shell } = (window as any).jupyterapp;
    const panel = [...shell.widgets('right')].find(
      (each: any) => each.id === 'jitmagic-panel'
    );
    panel.model.clear(wanted);
  }, link);
}

test('pictures', async ({ lab }) => {
  test.setTimeout(400_000);
  lab.page.setDefaultTimeout(10_000);
  await lab.page.setViewportSize({ width: 1500, height: 900 });
  await lab.open('gallery.ipynb');
  await lab.openPanel();
  const few = SCHEMES.slice(0, 1);
  await pictures(lab, 'empty-unloaded', [240, 480]);
  for (const link of [
    'none',
    'foreign',
    'connecting',
    'waiting',
    'newer',
    'restarting',
    'lost',
    'dead'
  ]) {
    await forget(lab, link);
    await lab.page.waitForTimeout(450);
    await pictures(lab, `empty-${link}`, [240], few);
  }
  await lab.run('%load_ext jupyter_jitmagic');
  await lab.page.waitForTimeout(500);
  await pictures(lab, 'empty-live', [240, 480]);
  await lab.run(WORK);
  await lab.run(SAMPLE);
  await lab.page.waitForTimeout(300);
  await pictures(lab, 'filled', [240, 320, 480, 800]);
  await lab.row('padded').click();
  await lab.row('n=8').click();
  await pictures(lab, 'entry', [240, 480]);
  const differs = lab.panel.getByRole('tab', { name: 'Differs from…' });
  await differs.click();
  await pictures(lab, 'differs', [240, 480]);
  await lab.panel.getByRole('button', { name: 'Close' }).click();
  for (const link of ['restarting', 'lost', 'dead', 'waiting']) {
    await stand(lab, link);
    await pictures(lab, `stale-${link}`, [320], SCHEMES);
  }
  await stand(lab, 'live');
  await lab.start(COMPILING);
  await lab.panel.getByText('compiling').first().waitFor();
  await pictures(lab, 'compiling', [240, 480]);
  await lab.panel.getByRole('button', { name: 'Stop' }).click();
  await pictures(lab, 'stop', [240, 480], few);

  // the real thing
  await lab.run('jm.reset()');
  await lab.run(SCALED);
  await lab.run(
    'for n in range(1, 5): scaled(jnp.ones(3), n)\nfor _ in range(60): scaled(jnp.ones(3), 4).block_until_ready()'
  );
  await lab.run(FAILING);
  await lab.run('conditional_double(jnp.float32(3), 1.0)');
  await lab.todos
    .getByRole('button', { name: /See (fix|advice)/ })
    .last()
    .waitFor();
  await pictures(lab, 'misses', [240, 320, 480, 800]);
  await lab.shot('notebook-links');
  await lab.todos
    .getByRole('button', { name: /See (fix|advice)/ })
    .last()
    .click();
  await pictures(lab, 'cure', [240, 480]);
  await lab.todos
    .getByRole('button', { name: /See (fix|advice)/ })
    .first()
    .click();
  await lab.page.waitForTimeout(800);
  await pictures(lab, 'advice', [240, 480]);
  await lab.row('scaled').first().click();
  await lab.row('n=4').click();
  await lab.page.waitForTimeout(800);
  await pictures(lab, 'calls', [240, 480]);
  for (const tab of ['jaxpr', 'StableHLO', 'HLO', 'Cost']) {
    await lab.panel.getByRole('tab', { name: tab, exact: true }).click();
    await lab.page.waitForTimeout(500);
    await pictures(
      lab,
      `tab-${tab}`,
      [240, 480],
      tab === 'HLO' ? SCHEMES : few
    );
  }
  await pictures(lab, 'wide', [800], few);
  void lab.command('jitmagic:clear-all');
  await lab.page.locator('.jp-Dialog').waitFor();
  await lab.shot('confirm');
  await lab.page
    .locator('.jp-Dialog')
    .getByRole('button', { name: 'Clear' })
    .click();
  await lab.page.waitForTimeout(300);
  await pictures(lab, 'cleared', [320], few);
});
