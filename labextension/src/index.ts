import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ILayoutRestorer } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { IConsoleTracker } from '@jupyterlab/console';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { jitIcon } from './icon';
import { JitPanel } from './panel';
import { CommandIDs, PANEL_ID, PLUGIN_ID } from './tokens';
import { SourceTracker } from './tracker';

/** Every token is optional, so that the panel also opens in Notebook 7 and in applications with fewer parts. */
const plugin: JupyterFrontEndPlugin<void> = {
  id: PLUGIN_ID,
  description: "A kernel's jit caches, live, in the right sidebar.",
  autoStart: true,
  optional: [
    INotebookTracker,
    IConsoleTracker,
    ICommandPalette,
    ILayoutRestorer,
    ISettingRegistry,
    ITranslator
  ],
  activate: (
    app: JupyterFrontEnd,
    notebooks: INotebookTracker | null,
    consoles: IConsoleTracker | null,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    settings: ISettingRegistry | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('jupyter_jitmagic');
    const tracker = new SourceTracker(notebooks, consoles);
    app.shell.currentChanged?.connect((_, change) =>
      tracker.see(change.newValue)
    );
    const panel = new JitPanel(tracker, translator ?? undefined);

    app.commands.addCommand(CommandIDs.open, {
      label: trans.__('JIT Caches'),
      caption: trans.__(
        "Show the jit caches of the current notebook's kernel in the sidebar"
      ),
      icon: jitIcon,
      execute: () => {
        if (!panel.isAttached) {
          app.shell.add(panel, 'right', { rank: 700 });
        }
        app.shell.activateById(PANEL_ID);
      },
      describedBy: { args: { type: 'object', properties: {} } }
    });
    app.shell.add(panel, 'right', { rank: 700 });
    restorer?.add(panel, PANEL_ID);
    palette?.addItem({ command: CommandIDs.open, category: trans.__('JIT') });
    settings?.load(PLUGIN_ID).catch((reason: unknown) => {
      console.error('jupyter-jitmagic: the settings could not be read', reason);
    });
  }
};

export default plugin;
