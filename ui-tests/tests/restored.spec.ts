/** A page that is loaded again shows the panel as it was. */
import { expect, test } from './lab';
import { SAMPLE } from './records';

test('after a reload the panel is arranged as it was', async ({ lab }) => {
  await lab.openAlone('restored.ipynb');
  await lab.openPanel();
  await lab.run('%load_ext jupyter_jitmagic');
  await lab.run(SAMPLE);
  await lab.row('padded').click();
  await expect(lab.row('n=13')).toBeVisible();
  const timeline = lab.panel.getByRole('button', { name: 'Timeline' });
  const newest = lab.panel.getByRole('button', { name: 'Newest' });
  const hits = lab.grid.getByRole('columnheader', { name: 'Hits' });
  await timeline.click();
  await newest.click();
  await hits.getByRole('button').click();
  await expect(hits).toHaveAttribute('aria-sort', 'descending');
  // kept with the workspace, in its own time
  await expect(async () => {
    const listed = await lab.page.request.get('/lab/api/workspaces');
    expect(await listed.text()).toContain('jitmagic.timeline');
  }).toPass({ timeout: 20_000 });
  await lab.page.reload();
  await lab.ready();
  await lab.command('jitmagic:open');
  await expect(timeline).toHaveAttribute('aria-expanded', 'true');
  await expect(newest).toHaveAttribute('aria-pressed', 'true');
  await expect(hits).toHaveAttribute('aria-sort', 'descending');
  await expect(lab.row('n=13')).toBeVisible();
});
