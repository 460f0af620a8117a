/** What the panel can be told to do: commands, their places in the palette, and the links in a notebook's outputs. */
import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ILayoutRestorer } from '@jupyterlab/application';
import { ICommandPalette, WidgetTracker } from '@jupyterlab/apputils';
import {
  ITranslator,
  nullTranslator,
  type TranslationBundle
} from '@jupyterlab/translation';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { addCommands } from '../commands';
import { DASHBOARD_ID, newDashboard } from '../dashboard';
import { jitIcon } from '../icon';
import { IJitPanel } from '../jitpanel';
import { CommandIDs, type Selection } from '../tokens';

const IN_THE_PALETTE = [
  CommandIDs.open,
  CommandIDs.openDashboard,
  CommandIDs.showLine,
  CommandIDs.copyMarkdown,
  CommandIDs.saveCsv,
  CommandIDs.pauseRecording,
  CommandIDs.clearAll
];

export const commandsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-jitmagic:commands',
  description: 'Commands of the jit caches, and links to their rows.',
  autoStart: true,
  requires: [IJitPanel],
  optional: [ICommandPalette, ILayoutRestorer, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    panel: IJitPanel,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('jupyter_jitmagic');
    addOpening(app, panel, trans);
    addDashboard(app, panel, restorer, trans);
    addCommands(app, panel, trans);
    const category = trans.__('JIT');
    for (const command of IN_THE_PALETTE) {
      palette?.addItem({ command, category });
    }
  }
};

function addOpening(
  app: JupyterFrontEnd,
  panel: IJitPanel,
  trans: TranslationBundle
): void {
  app.commands.addCommand(CommandIDs.open, {
    label: trans.__('JIT Caches'),
    caption: trans.__(
      "Show the jit caches of the current notebook's kernel in the sidebar"
    ),
    icon: jitIcon,
    execute: args => {
      panel.open();
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
  app.commands.addCommand(CommandIDs.followLink, {
    label: trans.__('Follow the Link to the JIT Caches'),
    execute: () => {
      if (document.activeElement instanceof HTMLElement) {
        document.activeElement.click();
      }
    },
    describedBy: { args: { type: 'object', properties: {} } }
  });
}

function addDashboard(
  app: JupyterFrontEnd,
  panel: IJitPanel,
  restorer: ILayoutRestorer | null,
  trans: TranslationBundle
): void {
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
}

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
