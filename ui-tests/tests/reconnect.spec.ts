import { expect, test } from './lab';
import { SAMPLE } from './records';

/** `make soak` asks for 50. */
const RESTARTS = Number(process.env.JITMAGIC_UI_RESTARTS ?? 1);

const THREADS = `import threading
print("threads", sum("subshell" in t.name for t in threading.enumerate()), sum(t.name == "jitmagic-panel" for t in threading.enumerate()))`;

test('the network goes and comes back: old rows are called old, then the truth', async ({
  lab
}) => {
  await lab.open('network.ipynb');
  await lab.openPanel();
  await lab.run('%load_ext jupyter_jitmagic');
  await lab.run(SAMPLE);
  const hits = lab.cell(lab.row('padded'), 'hits');
  await expect(hits).toHaveText('6');

  // the kernel's websocket is closed under the page, as by a sleeping laptop, while a cell goes on
  await lab.start(
    'import time\nlog.functions[1].hits = 7; log.listeners.emit(Changed("functions", 1)); time.sleep(4)'
  );
  await expect(hits).toHaveText('7');
  const told = await lab.page.evaluate(async () => {
    const { session } = (window as any).jupyterapp.shell.currentWidget
      .sessionContext;
    const standing = document.querySelector(
      '#jitmagic-panel .jp-JitMagic-standing'
    )!;
    // JupyterLab may be back before a test looks again: every word is kept
    const told: string[] = [];
    const observer = new MutationObserver(() =>
      told.push(standing.textContent ?? '')
    );
    const options = { childList: true, characterData: true, subtree: true };
    observer.observe(standing, options);
    session.kernel._ws.close(4000);
    await new Promise(resolve => setTimeout(resolve, 1000));
    observer.disconnect();
    return told;
  });
  expect(told[0]).toMatch(
    /^Connection to the kernel lost · last seen \d+ s ago/
  );
  await expect(lab.panel).not.toContainText('Connection to the kernel lost', {
    timeout: 20_000
  });
  await lab.run(
    'log.functions[1].hits = 8; log.listeners.emit(Changed("functions", 1))'
  );
  await expect(hits).toHaveText('8');
  await lab.run(THREADS);
  await expect(
    lab.page.locator('.jp-OutputArea-output', { hasText: /^threads/ }).last()
  ).toHaveText(/^threads [01] 1\s*$/);
});

test('restarts leave no thread, comm, listener or node behind', async ({
  lab
}) => {
  test.setTimeout(60_000 + RESTARTS * 15_000);
  await lab.open('restarts.ipynb');
  await lab.openPanel();
  const load = async (): Promise<void> => {
    await lab.run('%load_ext jupyter_jitmagic');
    await lab.run(SAMPLE);
    await expect(lab.row('padded')).toBeVisible();
  };
  const cdp = await lab.page.context().newCDPSession(lab.page);
  /** Elements of ours that are in no document any more, and listeners that only we add to the window. */
  const left = async (): Promise<{ nodes: number; listeners: number }> => {
    await cdp.send('HeapProfiler.collectGarbage');
    const prototype = await cdp.send('Runtime.evaluate', {
      expression: 'Element.prototype'
    });
    const { objects } = await cdp.send('Runtime.queryObjects', {
      prototypeObjectId: prototype.result.objectId!
    });
    const counted = await cdp.send('Runtime.callFunctionOn', {
      objectId: objects.objectId!,
      functionDeclaration: `function () {
        return this.filter(node => {
          try {
            return !node.isConnected &&
              String(node.getAttribute('class')).includes('jp-JitMagic');
          } catch {
            return false; // a prototype, no element
          }
        }).length;
      }`,
      returnByValue: true
    });
    await cdp.send('Runtime.releaseObject', { objectId: objects.objectId! }); // else it keeps them
    const page = await cdp.send('Runtime.evaluate', { expression: 'window' });
    const { listeners } = await cdp.send('DOMDebugger.getEventListeners', {
      objectId: page.result.objectId!
    });
    return {
      nodes: counted.result.value,
      listeners: listeners.filter(each => each.type === 'pagehide').length
    };
  };
  const kernel = async (): Promise<string[]> => {
    const ids = await lab.page.evaluate(async () => {
      const { session } = (window as any).jupyterapp.shell.currentWidget
        .sessionContext;
      const answer = await session.kernel.requestCommInfo({});
      return Object.keys(answer.content.comms);
    });
    return ids
      .filter(id => id.startsWith('jitmagic'))
      .map(id => id.replace(/:subshell:.*/, ':subshell'));
  };
  const round = async (): Promise<void> => {
    await lab.restart();
    await expect(lab.panel).toContainText('is not loaded');
    await load();
    // as many cells and outputs as before
    await lab.command('notebook:delete-cell');
    await lab.command('notebook:delete-cell');
  };
  await load();
  await round();
  const before = await left();
  const comms = await kernel();
  for (let number = 0; number < RESTARTS; number++) {
    await round();
  }
  const after = await left();
  expect((await kernel()).sort()).toEqual(comms.sort());
  const output = lab.page.locator('.jp-OutputArea-output', {
    hasText: /^threads/
  });
  await expect(async () => {
    await lab.run(THREADS);
    await expect(output.last()).toHaveText(/^threads [01] 1\s*$/, {
      timeout: 1000
    });
  }).toPass({ timeout: 15_000 });
  console.log(
    `${RESTARTS} restarts: ${after.nodes - before.nodes} more elements of the panel out of the document, ` +
      `${after.listeners - before.listeners} more listeners, the same comms and threads`
  );
  expect(after.listeners).toBe(before.listeners);
  expect(after.nodes).toBeLessThanOrEqual(before.nodes + 10);
});
