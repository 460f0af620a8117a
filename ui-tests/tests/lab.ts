/** What the browser tests do with JupyterLab, in the words of a user. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import AxeBuilder from '@axe-core/playwright';
import {
  type ConsoleMessage,
  type Locator,
  type Page,
  expect,
  test as base
} from '@playwright/test';

/** Lines of the page's console that are not ours and not about us. */
const HARMLESS = [
  /Unsatisfied version/, // an older JupyterLab beside newer packages: only the version's number
  /Download the React DevTools/,
  /Could not restore the debugger state: Canceled future/, // JupyterLab's debugger, when the kernel dies under it
  /Canceled future for (kernel_info|debug)_request/, // JupyterLab's own question, when a kernel goes that had no time for it
  /Scrolling to a new item is requested/, // JupyterLab 4.2's own, when a scroll is overtaken by the next
  /_cellToolbarOverlapsContents/, // JupyterLab 4.2's own, when a cell goes before its toolbar is placed
  /Comm not found for comm id (?!jitmagic)/, // JupyterLab 4.2's widget manager, when its comm's end comes after the restart; ours begin so
  // JupyterLab's splash screen, shown twice within 200 ms (a theme loads while another is on its way): its second timer finds it gone.
  // One frame, in JupyterLab itself; an error of React's would have many
  /'removeChild' on 'Node'[^\n]*\n\s+at [^\n]*jlab_core[^\n]*$/,
  /reading 'schema'/ // Notebook 7.6's own, also without any extension
];

export class Lab {
  constructor(
    readonly page: Page,
    /** The page's own, beside the other worker's. */
    private readonly _workspace = ''
  ) {
    this.panel = page.locator('#jitmagic-panel');
    this.grid = this.panel.getByRole('treegrid');
    this.misses = this.panel.locator('.jp-JitMagic-missList');
    this.todos = this.panel.getByRole('region', { name: 'What to fix' });
    page.on('console', message => this._hear(message));
    page.on('pageerror', error =>
      this._note(`${error}\n${error.stack}`, this.errors)
    );
  }

  readonly panel: Locator;
  readonly grid: Locator;
  readonly misses: Locator;
  readonly todos: Locator;
  readonly errors: string[] = [];
  readonly warnings: string[] = [];

  /** A new notebook in JupyterLab as it is at first; then its kernel is idle. */
  async open(name: string): Promise<void> {
    if (!this._opened) {
      await this.page.goto(`/lab/workspaces/${this._workspace}?reset`);
      await this.ready();
      this._opened = true;
    }
    await this.newNotebook(name);
  }

  /**
   * The same for a test that changes what JupyterLab keeps, its settings or the page's arrangement: nothing is kept from before, and the
   * next test begins on a page of its own.
   */
  async openAlone(name: string): Promise<void> {
    await this._forgetSettings();
    this._opened = false;
    await this.open(name);
    this._opened = false;
  }

  private async _forgetSettings(): Promise<void> {
    await this.page.request.put('/lab/api/settings/jupyter-jitmagic:panel', {
      data: { raw: '{}' }
    });
  }

  /** After a test: no kernel, no document, nothing that the next one would meet. */
  async tidy(): Promise<void> {
    this.errors.length = this.warnings.length = 0;
    if (!this._opened) {
      await this._forgetSettings();
    }
    await this.page.setViewportSize({ width: 1280, height: 800 });
    await this.page.emulateMedia({
      forcedColors: null,
      contrast: null,
      reducedMotion: null
    });
    await this.page.evaluate(async () => {
      const app = (window as any).jupyterapp;
      if (!app?.shell.widgets) {
        return;
      }
      const panel = [...app.shell.widgets('right')].find(
        (each: any) => each.id === 'jitmagic-panel'
      );
      panel?.model.setView({
        filter: '',
        show: 'all',
        order: 'cost',
        range: null,
        layout: {}
      });
      if (document.body.dataset.jpThemeLight === 'false') {
        await app.commands.execute('apputils:change-theme', {
          theme: 'JupyterLab Light'
        });
      }
      app.shell.collapseRight?.();
      for (const widget of [...app.shell.widgets('main')]) {
        const { sessionContext, context } = widget;
        await context?.save().catch(() => {});
        await sessionContext?.shutdown().catch(() => {});
        widget.dispose();
      }
    });
  }

  async ready(): Promise<void> {
    await this.page.waitForFunction(
      () => (window as any).jupyterapp?.restored !== undefined,
      undefined,
      { timeout: 30_000 }
    );
    await this.page.evaluate(() => (window as any).jupyterapp.restored);
  }

  /** A notebook with one empty cell, in the server's folder; then its kernel is idle. */
  async newNotebook(name: string): Promise<void> {
    await this.createNotebook(name);
    await this.show(name);
    await this.idle();
  }

  /** In the place of what an earlier try of the same test has left of it. */
  async createNotebook(name: string): Promise<void> {
    const { request } = this.page;
    const sessions = await (await request.get('/api/sessions')).json();
    for (const { id, path } of sessions as { id: string; path: string }[]) {
      if (path === name) {
        await request.delete(`/api/sessions/${id}`);
      }
    }
    await request.put(`/api/contents/${name}`, {
      data: {
        type: 'notebook',
        format: 'json',
        content: {
          metadata: {
            kernelspec: { name: 'python3', display_name: 'Python 3' }
          },
          nbformat: 4,
          nbformat_minor: 5,
          cells: [
            {
              cell_type: 'code',
              id: 'first',
              metadata: {},
              outputs: [],
              execution_count: null,
              source: ''
            }
          ]
        }
      }
    });
  }

  async show(path: string): Promise<void> {
    await this.command('docmanager:open', { path });
  }

  command(id: string, args: object = {}): Promise<void> {
    return this.page.evaluate(
      async ([command, options]) => {
        await (window as any).jupyterapp.commands.execute(command, options);
      },
      [id, args] as const
    );
  }

  /** With room for the hits, too, where JupyterLab has a sidebar to widen. */
  async openPanel(): Promise<void> {
    await this.command('jitmagic:open');
    await expect(this.panel).toBeVisible();
    await this.widen(335);
  }

  async closePanel(): Promise<void> {
    await this.page.evaluate(() =>
      (window as any).jupyterapp.shell.collapseRight()
    );
    await expect(this.panel).toBeHidden();
  }

  /** Wait until the current notebook's kernel has started. */
  async idle(): Promise<void> {
    await this.page.evaluate(async () => {
      const { sessionContext } = (window as any).jupyterapp.shell.currentWidget;
      await sessionContext.ready;
      await sessionContext.session.kernel.info;
    });
  }

  /** Put `code` into a new cell below and run it; resolves when it was sent, not when it ended. */
  async start(code: string): Promise<void> {
    await this.command('notebook:move-cursor-down');
    await this.command('notebook:insert-cell-below');
    await this.page.evaluate(async source => {
      const { jupyterapp } = window as any;
      const cell = jupyterapp.shell.currentWidget.content.activeCell;
      cell.model.sharedModel.setSource(source);
      void jupyterapp.commands.execute('notebook:run-cell');
    }, code);
  }

  /** Run `code` in a new cell and wait for its end. */
  async run(code: string): Promise<void> {
    await this.start(code);
    await this.page.evaluate(async () => {
      const { jupyterapp } = window as any;
      const { sessionContext } = jupyterapp.shell.currentWidget;
      // the next thing on the main shell is answered after the cell
      await sessionContext.session.kernel.requestIsComplete({ code: '1' });
    });
  }

  /** Whether the current notebook's kernel runs a cell. */
  busy(): Promise<boolean> {
    return this.page.evaluate(() =>
      (window as any).jupyterapp.shell.currentWidget.content.widgets.some(
        (cell: any) => cell.promptNode?.textContent?.includes('*')
      )
    );
  }

  /** Whether the current notebook's kernel can answer while it runs a cell. */
  hasSubshells(): Promise<boolean> {
    return this.page.evaluate(async () => {
      const { sessionContext } = (window as any).jupyterapp.shell.currentWidget;
      const info = await sessionContext.session.kernel.info;
      return !!info.supported_features?.includes('kernel subshells');
    });
  }

  async restart(): Promise<void> {
    await this.page.evaluate(async () => {
      const { sessionContext } = (window as any).jupyterapp.shell.currentWidget;
      await sessionContext.restartKernel();
    });
  }

  /** The row of a function or an entry in the panel. */
  row(text: string | RegExp): Locator {
    return this.grid.getByRole('row').filter({ hasText: text });
  }

  /** The text of one column of a row. */
  cell(row: Locator, column: string): Locator {
    return row.locator(`[data-column="${column}"]`);
  }

  /** No violation that axe can find in the panel, or elsewhere. */
  async accessible(where = '#jitmagic-panel'): Promise<void> {
    const { violations } = await new AxeBuilder({ page: this.page })
      .include(where)
      .analyze();
    expect(
      violations.map(each => [
        each.id,
        each.nodes.map(node => `${node.html} ${node.failureSummary}`)
      ])
    ).toEqual([]);
  }

  /** Nothing is cut that no tooltip tells in full, and of every function's name at least twelve letters can be read. */
  async uncut(): Promise<void> {
    const found = await this.panel.evaluate(panel => {
      const bad: string[] = [];
      for (const node of panel.querySelectorAll<HTMLElement>('*')) {
        const style = getComputedStyle(node);
        if (style.overflowX !== 'hidden' || node.clientWidth === 0) {
          continue;
        }
        const cut =
          node.scrollWidth > node.clientWidth + 1 ||
          (style.webkitLineClamp !== 'none' &&
            node.scrollHeight > node.clientHeight + 1);
        const told =
          node.closest('[title]') !== null ||
          node.querySelector('[title]') !== null;
        if (cut && node.textContent?.trim() && !told) {
          bad.push(`cut without a tooltip: ${node.outerHTML.slice(0, 200)}`);
        }
        const name = node.closest<HTMLElement>('.jp-JitMagic-fn');
        if (cut && name) {
          const letter = document.createElement('span');
          letter.textContent = 'x'.repeat(12);
          node.append(letter);
          const needed = letter.getBoundingClientRect().width;
          letter.remove();
          if (name.clientWidth + 1 < needed) {
            bad.push(
              `${name.clientWidth} of ${needed} px: ${name.textContent}`
            );
          }
        }
      }
      return bad;
    });
    expect(found).toEqual([]);
  }

  /** Count the messages of our comm from here on; call what is returned for the number so far. */
  async countMessages(): Promise<() => Promise<number>> {
    await this.page.evaluate(() => {
      const scope = window as any;
      scope.jitmagicMessages = 0;
      const { kernel } =
        scope.jupyterapp.shell.currentWidget.sessionContext.session;
      kernel.iopubMessage.connect((_: unknown, message: any) => {
        if (message.content?.comm_id?.startsWith('jitmagic')) {
          scope.jitmagicMessages += 1;
        }
      });
    });
    return () => this.page.evaluate(() => (window as any).jitmagicMessages);
  }

  /**
   * Note the panel's questions and all that comes of them, with the moments: when it was made (the kernel's clock is this
   * machine's) and when it was here, in milliseconds.
   */
  async watchAnswers(): Promise<void> {
    await this.page.evaluate(() => {
      const scope = window as any;
      scope.jitmagicHeard = [];
      const { kernel } =
        scope.jupyterapp.shell.currentWidget.sessionContext.session;
      kernel.anyMessage.connect((_: unknown, { direction, msg }: any) => {
        const { comm_id, data } = msg.content ?? {};
        if (comm_id?.startsWith('jitmagic')) {
          const [, micro] = /\.\d{3}(\d{3})/.exec(msg.header.date) ?? [];
          scope.jitmagicHeard.push({
            kind: direction === 'send' ? `asks ${data.op}` : data.t,
            made: Date.parse(msg.header.date) + Number(micro ?? 0) / 1000,
            at: performance.timeOrigin + performance.now()
          });
        }
      });
    });
  }

  /** What was noted since the last call. */
  answers(): Promise<{ kind: string; made: number; at: number }[]> {
    return this.page.evaluate(() =>
      (window as any).jitmagicHeard.splice(0, Infinity)
    );
  }

  /** Keep a picture of the page or of the panel, where pictures are wanted. */
  async shot(name: string, what: Locator | Page = this.page): Promise<void> {
    const folder = process.env.JITMAGIC_UI_SHOTS;
    if (folder) {
      mkdirSync(folder, { recursive: true });
      await expect(this.page.locator('#jupyterlab-splash')).toHaveCount(0); // shown while a theme loads
      await what.screenshot({ path: join(folder, `${name}.png`) });
    }
  }

  async widen(width: number): Promise<void> {
    await this.page.evaluate(size => {
      const { jupyterapp } = window as any;
      const split = jupyterapp.shell._hsplitPanel;
      if (!split) {
        return; // Notebook 7
      }
      const total = split.node.clientWidth;
      const left = jupyterapp.shell.leftCollapsed ? 0 : 250;
      split.setRelativeSizes([left, total - left - size, size]);
    }, width);
  }

  private _opened = false;

  private _hear(message: ConsoleMessage): void {
    if (message.type() === 'error') {
      this._note(message.text(), this.errors);
    } else if (message.type() === 'warning') {
      this._note(message.text(), this.warnings);
    }
  }

  private _note(text: string, where: string[]): void {
    if (!HARMLESS.some(pattern => pattern.test(text))) {
      where.push(text);
    }
  }
}

/**
 * One page for all tests of a worker, as a person has it: each opens a notebook of its own in it. Every test fails on an error in the
 * page's console; after a failed test Playwright starts a new worker, and so a new page.
 */
export const test = base.extend<{ lab: Lab }, { sharedLab: Lab }>({
  sharedLab: [
    async ({ browser }, use, { parallelIndex, project }) => {
      const { baseURL, viewport, locale } = project.use;
      const context = await browser.newContext({ baseURL, viewport, locale });
      await use(new Lab(await context.newPage(), `worker${parallelIndex}`));
      await context.close();
    },
    { scope: 'worker' }
  ],
  lab: async ({ sharedLab }, use) => {
    await use(sharedLab);
    const errors = [...sharedLab.errors];
    await sharedLab.tidy();
    expect(errors, 'errors in the console').toEqual([]);
  }
});

export { expect };
