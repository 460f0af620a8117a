/** Figures, printed and not judged (a busy machine is no failure): large caches, many calls, answers while the kernel compiles. */
import { expect, test } from './lab';

/** 10,000 entries of 100 functions, some of them with names that want to break out. */
const TEN_THOUSAND = `
from jupyter_jitmagic._records import *
odd = ["<img src=x onerror=alert(1)>", "'\\"\`", "x" * 10_000, "\\u202eabc\\u05d0", "\\U0001f600"]
for f in range(1, 101):
    log.functions[f] = FunctionRecord(id=f, name=odd[f - 1] if f <= len(odd) else f"function_{f}", module="m", qualname="q", filename="m.py", line=f, hits=f, misses=100, compile_s=f / 10)
    for e in range(100):
        id = f * 1000 + e
        log.entries[id] = EntryRecord(id=id, function=f, avals=f"f32[{e},{f}]", static={"n": odd[e % 5]}, compile_s=float("nan") if e == 1 else e / 1000, execute_s=1e-5)
log.listeners.emit(Changed("reset"))
`;

test('ten thousand entries: painted, filtered, scrolled', async ({ lab }) => {
  await lab.open('large.ipynb');
  await lab.openPanel();
  await lab.run('%load_ext jupyter_jitmagic');
  await lab.run(TEN_THOUSAND);
  await expect(lab.page.getByText('JIT: 10000 misses')).toBeVisible();
  await lab.command('jitmagic:expand-all');

  // closed and opened again: from the snapshot's arrival to the paint
  const paint = await lab.page.evaluate(async () => {
    const { jupyterapp } = window as any;
    const panel = document.getElementById('jitmagic-panel')!;
    const started = performance.now();
    jupyterapp.shell.collapseRight();
    await jupyterapp.commands.execute('jitmagic:open');
    await new Promise<void>(resolve => {
      const look = (): void => {
        if (panel.querySelector('[role="row"][data-kind]')) {
          requestAnimationFrame(() => resolve());
        } else {
          requestAnimationFrame(look);
        }
      };
      look();
    });
    return performance.now() - started;
  });
  expect(await lab.grid.getByRole('row').count()).toBeLessThan(80);

  const filter = await lab.page.evaluate(async () => {
    const panel = document.getElementById('jitmagic-panel')!;
    const input = panel.querySelector('input')!;
    const set = Object.getOwnPropertyDescriptor(
      HTMLInputElement.prototype,
      'value'
    )!.set!;
    const took: number[] = [];
    for (const text of ['f', 'f3', 'f32[7', 'f32[77', '']) {
      const started = performance.now();
      set.call(input, text);
      input.dispatchEvent(new Event('input', { bubbles: true }));
      await new Promise(resolve => requestAnimationFrame(resolve));
      took.push(performance.now() - started);
    }
    return Math.max(...took);
  });
  await lab.grid.focus();
  await lab.page.keyboard.press('End');
  await expect(
    lab.row('function_100').or(lab.row('f32[99,100]')).first()
  ).toBeVisible();
  console.log(
    `10,000 entries: panel opened and painted in ${paint.toFixed(0)} ms; slowest filter stroke ${filter.toFixed(0)} ms`
  );
});

const LOOP = `
import time, jax, jax.numpy as jnp, jupyter_jitmagic as jm
f = jm.jit(lambda x: x)
x = jnp.ones(1)
f(x)
def rate():
    best = 0
    for _ in range(5):
        start = time.perf_counter()
        for _ in range(20000): f(x)
        best = max(best, 20000 / (time.perf_counter() - start))
    return best
print("rate", round(rate()))
`;

const SLOW = `
import jax, jax.numpy as jnp, jupyter_jitmagic as jm
@jm.jit
def slow(x):
    for i in range(400):
        x = jnp.sin(x) * (i + 1) + x[::-1]
    return x
slow(jnp.ones(64)).block_until_ready()
`;

test('a loop of calls keeps its speed, and the kernel answers while it compiles', async ({
  lab
}) => {
  await lab.open('loop.ipynb');
  await lab.run('%load_ext jupyter_jitmagic');
  const measure = async (): Promise<number> => {
    await lab.run(LOOP);
    const output = lab.page.locator('.jp-OutputArea-output', {
      hasText: /^rate \d+/
    });
    await expect(output.last()).toBeVisible();
    return Number((await output.last().textContent())!.replace(/\D/g, ''));
  };
  await measure(); // warm
  const closed = await measure();
  await lab.openPanel();
  await expect(lab.panel.getByRole('treegrid')).toBeVisible();
  const messages = await lab.countMessages();
  const started = Date.now();
  const open = await measure();
  const seconds = (Date.now() - started) / 1000;
  const sent = await messages();
  console.log(
    `calls/s: ${closed} with the panel closed, ${open} open (${((1 - open / closed) * 100).toFixed(1)} % less); ` +
      `${(sent / seconds).toFixed(1)} messages/s`
  );
  expect(sent / seconds).toBeLessThan(21);
  await expect(lab.page.locator('.jp-Notebook')).not.toContainText(
    'rate exceeded'
  );

  await lab.start(SLOW);
  await expect(
    lab.panel.getByRole('group', { name: 'Compiling now' })
  ).toContainText('compiling', { timeout: 60_000 });
  const times = await lab.page.evaluate(async () => {
    const { jupyterapp } = window as any;
    const times: number[] = [];
    const end = performance.now() + 1500;
    while (performance.now() < end) {
      const started = performance.now();
      await jupyterapp.commands.execute('jitmagic:refresh');
      times.push(performance.now() - started);
    }
    return times.sort((a, b) => a - b);
  });
  const at = (part: number): string =>
    times[Math.min(times.length - 1, Math.floor(part * times.length))].toFixed(
      0
    );
  console.log(
    `answers while compiling: p50 ${at(0.5)} ms, p95 ${at(0.95)} ms of ${times.length}`
  );
  await expect(
    lab.panel.getByRole('group', { name: 'Compiling now' })
  ).toBeHidden({ timeout: 90_000 });
});
