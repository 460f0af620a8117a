/** "What should I fix?" in a training notebook, at the widths that people have. */
import { expect, test } from './lab';
import { FAILING, FUNCTIONS, PLAIN, SETUP, TRAINING } from './training';

const WIDTHS = [240, 420, 1000];

test('a training notebook: what costs most is told first and told apart', async ({
  lab
}) => {
  test.setTimeout(120_000);
  await lab.page.setViewportSize({ width: 1600, height: 900 });
  await lab.open('training.ipynb');
  await lab.openPanel();
  await lab.run(SETUP);
  await lab.run(FUNCTIONS);
  await lab.run(TRAINING);
  await lab.run(PLAIN);
  await lab.run(FAILING);
  const step = lab.row('train_step').first();
  await expect(lab.cell(step, 'misses')).toHaveText('10');

  const shots = async (name: string): Promise<void> => {
    if (!process.env.JITMAGIC_UI_SHOTS) {
      return;
    }
    for (const theme of ['Light', 'Dark']) {
      await lab.command('apputils:change-theme', {
        theme: `JupyterLab ${theme}`
      });
      for (const width of WIDTHS) {
        await lab.widen(width);
        await lab.page.waitForTimeout(100);
        await lab.shot(`training-${name}-${theme}-${width}`, lab.panel);
      }
    }
    await lab.command('apputils:change-theme', { theme: 'JupyterLab Light' });
  };
  await shots('first');
  for (const width of [240, 420, 1000]) {
    await lab.widen(width);
    await lab.uncut();
  }

  // what is not under jm.jit is there, too, with the line that called
  const others = lab.panel.getByRole('region', { name: 'Other compiles' });
  await others.getByRole('button', { name: /Other compiles/ }).click();
  const plain = others.locator('li', { hasText: 'put it under jm.jit' });
  await expect(plain.first()).toContainText(/cell \[\d+\] line 2/);
  await lab.accessible();
  await shots('others');
  await others.getByRole('button', { name: /Other compiles/ }).click();

  // the timeline: a lane for each function; a stretch of it is looked at closely, and the misses are those of it
  const timeline = lab.panel.getByRole('region', { name: 'Timeline' });
  await timeline.getByRole('button', { name: 'Timeline' }).click();
  const picture = timeline.getByRole('group', { name: /^Timeline from/ });
  await expect(picture).toContainText('train_step');
  const drawn = await picture.locator('canvas').evaluate(node => {
    const canvas = node as HTMLCanvasElement;
    const { width, height } = canvas;
    const { data } = canvas.getContext('2d')!.getImageData(0, 0, width, height);
    return new Set(new Uint32Array(data.buffer)).size;
  });
  expect(drawn).toBeGreaterThan(3); // more than a blank page and its lines
  // in the theme's colours, also when that changes and nothing else does
  const isDark = (): Promise<boolean> =>
    picture.locator('canvas').evaluate(node => {
      const canvas = node as HTMLCanvasElement;
      const { width, height } = canvas;
      const pen = canvas.getContext('2d')!;
      const drawn = [...pen.getImageData(0, 0, width, height).data];
      const reds = drawn.filter(
        (_, at) => at % 4 === 0 && drawn[at + 3] === 255
      );
      return reds.reduce((sum, red) => sum + red, 0) / reds.length < 128;
    });
  await expect.poll(isDark).toBe(false);
  for (const [theme, dark] of [
    ['JupyterLab Dark', true],
    ['JupyterLab Light', false]
  ] as const) {
    await lab.command('apputils:change-theme', { theme });
    await expect.poll(isDark).toBe(dark);
  }
  await shots('timeline');
  await lab.accessible();
  await timeline.getByText('As a table').click();
  await expect(
    timeline.getByRole('row').filter({ hasText: 'normalise' })
  ).toContainText('501'); // hits and misses
  await expect(
    timeline.getByRole('columnheader', { name: 'execute, seen' })
  ).toBeVisible();
  await timeline.getByText('As a table').click();
  const all = await lab.misses.locator('li').count();
  const box = (await picture.boundingBox())!;
  await lab.page.mouse.move(box.x + box.width - 3, box.y + 20);
  await lab.page.mouse.down();
  await lab.page.mouse.move(box.x + box.width - 40, box.y + 20);
  await lab.page.mouse.up();
  const back = timeline.getByRole('button', { name: /show all/ });
  await expect(back).toBeVisible();
  await expect.poll(() => lab.misses.locator('li').count()).toBeLessThan(all);
  await picture.focus();
  await lab.page.keyboard.press('Home');
  await expect(back).toBeHidden();
  await expect(lab.misses.locator('li')).toHaveCount(all);
  await timeline.getByRole('button', { name: 'Timeline' }).click();

  // one filter for functions, advice, misses and the rest
  await lab.panel.getByRole('searchbox').fill('fn:decay cause:static');
  await expect(lab.grid.getByRole('row')).toHaveCount(2); // and the head
  await expect(lab.misses.locator('li')).toHaveCount(1);
  await expect(lab.todos.locator('li')).toHaveCount(1);
  await lab.panel.getByRole('searchbox').fill('cost:>1h');
  await expect(lab.misses).toContainText('No miss matches the filter.');
  await lab.panel.getByRole('searchbox').fill('');

  // entries of a function with a model are told apart by what differs, the model folded
  await lab.widen(420);
  await step.click();
  const entry = lab.row('x.shape[0]=40');
  await expect(entry).toContainText('x f32[40,8] · y f32[40] · params {6}');
  await expect(entry).not.toContainText('layer0');
  // in a column of its own, whose heading has the name
  const headed = await lab.grid
    .locator('[data-kind="heading"] .jp-JitMagic-static')
    .first()
    .boundingBox();
  const value = await entry
    .locator('.jp-JitMagic-static')
    .first()
    .boundingBox();
  expect(value!.x).toBe(headed!.x);
  await shots('entries');

  // another entry beside it: real names, what changed, what is equal folded
  await entry.click();
  const details = lab.panel.getByRole('region', {
    name: 'Entry of train_step'
  });
  await details.getByRole('tab', { name: 'Differs from…' }).click();
  await expect(details.getByRole('table').getByRole('row')).toHaveText([
    'argumentnowbeforecause',
    'xf32[40,8]f32[96,8]shape',
    'yf32[40]f32[96]shape'
  ]);
  await expect(details.locator('summary')).toContainText('params');
  await shots('differs');
  for (const width of [240, 420]) {
    await lab.widen(width);
    await lab.uncut();
    // beside what is looked at closely all three cards are in sight
    await expect(lab.todos.locator('li')).toHaveCount(3);
    for (const card of await lab.todos.locator('li').all()) {
      await expect(card).toBeInViewport({ ratio: 0.95 });
    }
  }
  await lab.accessible();

  // all of it side by side in a tab, live while the sidebar is closed
  await lab.command('jitmagic:open-dashboard');
  const tab = lab.page.getByRole('region', { name: 'JIT dashboard' });
  const row = tab.getByRole('treegrid').getByRole('row');
  await expect(row.filter({ hasText: 'train_step' }).first()).toBeVisible();
  await expect(
    tab.getByRole('group', { name: /^Timeline from/ })
  ).toBeVisible();
  await lab.accessible('[aria-label="JIT dashboard"]');
  await lab.closePanel();
  await tab.getByRole('searchbox').fill('normalise');
  await expect(row).toHaveCount(2); // and the head
  await tab.getByRole('searchbox').fill('');
  for (const theme of ['Light', 'Dark']) {
    await lab.command('apputils:change-theme', {
      theme: `JupyterLab ${theme}`
    });
    await lab.page.waitForTimeout(100);
    await lab.shot(`dashboard-${theme}`);
  }
  await lab.command('apputils:change-theme', { theme: 'JupyterLab Light' });
});
