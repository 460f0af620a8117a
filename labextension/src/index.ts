import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ILayoutRestorer } from '@jupyterlab/application';
import { ICommandPalette, WidgetTracker } from '@jupyterlab/apputils';
import { IConsoleTracker } from '@jupyterlab/console';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { IStatusBar } from '@jupyterlab/statusbar';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { addCommands } from './commands';
import { DASHBOARD_ID, newDashboard } from './dashboard';
import { jitIcon } from './icon';
import { JitPanel } from './panel';
import { StatusItem } from './status';
import { CommandIDs, PANEL_ID, PLUGIN_ID, type Selection } from './tokens';
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
    IStatusBar,
    ITranslator
  ],
  activate: (
    app: JupyterFrontEnd,
    notebooks: INotebookTracker | null,
    consoles: IConsoleTracker | null,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    settings: ISettingRegistry | null,
    statusBar: IStatusBar | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('jupyter_jitmagic');
    const tracker = new SourceTracker(notebooks, consoles);
    app.shell.currentChanged?.connect((_, change) =>
      tracker.see(change.newValue)
    );
    const panel = new JitPanel(tracker, app.commands, translator ?? undefined);
    const open = (): void => {
      if (!panel.isAttached) {
        app.shell.add(panel, 'right', { rank: 700 });
      }
      app.shell.activateById(PANEL_ID);
    };

    app.commands.addCommand(CommandIDs.open, {
      label: trans.__('JIT Caches'),
      caption: trans.__(
        "Show the jit caches of the current notebook's kernel in the sidebar"
      ),
      icon: jitIcon,
      execute: args => {
        open();
        const selection = asSelection(args);
        if (selection) {
          panel.showRow(
            selection,
            typeof args.epoch === 'string' ? args.epoch : ''
          );
        }
      },
      describedBy: {
        args: {
          type: 'object',
          properties: {
            entry: {
              type: 'number',
              description: 'The id of a cache entry to show closely'
            },
            advice: {
              type: 'number',
              description: 'The id of an advice to show closely'
            },
            miss: {
              type: 'number',
              description: 'The id of a miss to show closely'
            },
            cure: {
              type: 'string',
              description: 'The id of an advice on misses to show closely'
            },
            epoch: {
              type: 'string',
              description: 'The start of the extension that the id is of'
            }
          }
        }
      }
    });
    const tabs = new WidgetTracker({ namespace: DASHBOARD_ID });
    app.commands.addCommand(CommandIDs.openDashboard, {
      label: trans.__('JIT Dashboard'),
      caption: trans.__(
        'Functions, timeline, misses and details side by side, in a tab'
      ),
      icon: jitIcon,
      execute: () => {
        const tab = tabs.currentWidget ?? newDashboard(panel, trans);
        if (!tab.isAttached) {
          app.shell.add(tab, 'main');
          void tabs.add(tab);
        }
        app.shell.activateById(tab.id);
      },
      describedBy: { args: { type: 'object', properties: {} } }
    });
    void restorer?.restore(tabs, {
      command: CommandIDs.openDashboard,
      name: () => DASHBOARD_ID
    });
    app.commands.addCommand(CommandIDs.followLink, {
      label: trans.__('Follow the Link to the JIT Caches'),
      execute: () => {
        if (document.activeElement instanceof HTMLElement) {
          document.activeElement.click();
        }
      },
      describedBy: { args: { type: 'object', properties: {} } }
    });
    addCommands(app.commands, panel, trans);
    const category = trans.__('JIT');
    for (const command of [
      CommandIDs.open,
      CommandIDs.openDashboard,
      CommandIDs.copyMarkdown,
      CommandIDs.saveCsv,
      CommandIDs.pauseRecording,
      CommandIDs.clearAll
    ]) {
      palette?.addItem({ command, category });
    }
    app.shell.add(panel, 'right', { rank: 700 });
    restorer?.add(panel, PANEL_ID);

    const item = new StatusItem(panel.model, trans, open);
    statusBar?.registerStatusItem(PLUGIN_ID, {
      item,
      align: 'left',
      rank: 3,
      isActive: () => panel.model.state.link === 'live' && panel.counts,
      activeStateChanged: panel.countsChanged
    });
    settings
      ?.load(PLUGIN_ID)
      .then(loaded => {
        const read = (): void => {
          const { statusBar: counts, columns } = loaded.composite as {
            statusBar: boolean;
            columns: string[];
          };
          panel.configure({ counts: counts && statusBar !== null, columns });
        };
        loaded.changed.connect(read);
        panel.keepColumns = columns => {
          loaded.set('columns', [...columns]).catch((reason: unknown) => {
            console.error(
              'jupyter-jitmagic: the columns could not be kept',
              reason
            );
          });
        };
        read();
      })
      .catch((reason: unknown) => {
        console.error(
          'jupyter-jitmagic: the settings could not be read',
          reason
        );
      });
  }
};

/** What a link in a notebook's output speaks of. */
function asSelection(args: ReadonlyPartialJSONObject): Selection | null {
  if (typeof args.cure === 'string') {
    return { kind: 'cure', id: args.cure };
  }
  const kind = (['entry', 'advice', 'miss'] as const).find(
    each => typeof args[each] === 'number'
  );
  return kind ? { kind, id: Number(args[kind]) } : null;
}

export default plugin;
