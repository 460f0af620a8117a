/** The panel in the sidebar, its settings, and the tab in which it has room. */
import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ILayoutRestorer } from '@jupyterlab/application';
import { IConsoleTracker } from '@jupyterlab/console';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStateDB } from '@jupyterlab/statedb';
import { ITranslator } from '@jupyterlab/translation';

import { IJitPanel } from '../jitpanel';
import { keepView } from '../keeping';
import { JitPanel } from '../panel';
import { PANEL_ID, PLUGIN_ID } from '../tokens';
import { SourceTracker } from '../tracker';
import { followSettings } from './settings';

/** What JupyterLab gives is optional, so that the panel also opens in Notebook 7 and in applications with fewer parts. */
export const panelPlugin: JupyterFrontEndPlugin<IJitPanel> = {
  id: PLUGIN_ID,
  description: "A kernel's jit caches, live, in the right sidebar.",
  autoStart: true,
  provides: IJitPanel,
  optional: [
    INotebookTracker,
    IConsoleTracker,
    ILayoutRestorer,
    ISettingRegistry,
    IStateDB,
    ITranslator
  ],
  activate: (
    app: JupyterFrontEnd,
    notebooks: INotebookTracker | null,
    consoles: IConsoleTracker | null,
    restorer: ILayoutRestorer | null,
    settings: ISettingRegistry | null,
    states: IStateDB | null,
    translator: ITranslator | null
  ): IJitPanel => {
    const tracker = new SourceTracker(notebooks, consoles);
    app.shell.currentChanged?.connect((_, change) =>
      tracker.see(change.newValue)
    );
    const panel = new JitPanel(
      tracker,
      app.commands,
      () => {
        if (!panel.isAttached) {
          app.shell.add(panel, 'right', { rank: 700 });
        }
        app.shell.activateById(PANEL_ID);
      },
      translator ?? undefined
    );
    app.shell.add(panel, 'right', { rank: 700 });
    restorer?.add(panel, PANEL_ID);
    if (states) {
      keepView(panel.model, states).then(
        kept => panel.disposed.connect(() => kept.dispose()),
        (reason: unknown) => {
          console.warn('jupyter-jitmagic: the view is not restored', reason);
        }
      );
    }
    void followSettings(settings, loaded => {
      panel.setColumns(loaded.composite.columns as string[]);
      panel.keepColumns = columns => {
        loaded.set('columns', [...columns]).catch((reason: unknown) => {
          console.error(
            'jupyter-jitmagic: the columns could not be kept',
            reason
          );
        });
      };
    });
    return panel;
  }
};
