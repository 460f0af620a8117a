/** Programs in tabs of their own, and two of them as a difference; loaded when the first is opened. */
import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { MainAreaWidget } from '@jupyterlab/apputils';
import { IEditorServices } from '@jupyterlab/codeeditor';
import { IEditorLanguageRegistry } from '@jupyterlab/codemirror';
import { ISearchProviderRegistry } from '@jupyterlab/documentsearch';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { jitIcon } from '../icon';
import { IJitPanel } from '../jitpanel';
import {
  type IProgramHost,
  KINDS,
  KIND_NAMES,
  mimeType
} from '../programs/host';
import { rowTarget } from '../rowmenu';
import { CommandIDs, type IProgramChoice } from '../tokens';

export const programsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-jitmagic:programs',
  description: 'The programs of cache entries in tabs, and as a difference.',
  autoStart: true,
  requires: [IJitPanel, IEditorServices],
  optional: [IEditorLanguageRegistry, ISearchProviderRegistry, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    panel: IJitPanel,
    editors: IEditorServices,
    languages: IEditorLanguageRegistry | null,
    searches: ISearchProviderRegistry | null,
    translator: ITranslator | null
  ): void => {
    const trans = (translator ?? nullTranslator).load('jupyter_jitmagic');
    for (const kind of KINDS) {
      languages?.addLanguage({
        name: KIND_NAMES[kind],
        mime: mimeType(kind),
        load: async () => {
          const { language } = await import('../programs/languages');
          return language(kind);
        }
      });
    }
    let searched = false;
    const open = async (choice: IProgramChoice): Promise<void> => {
      const { ProgramPage } = await import('../programs/page');
      if (searches && !searched) {
        searched = true;
        const { programSearch } = await import('../programs/search');
        searches.add('jitmagic-programs', programSearch);
      }
      const tab = new MainAreaWidget({
        content: new ProgramPage(host, choice)
      });
      tab.id = `jitmagic-program-${++opened}`;
      tab.title.icon = jitIcon;
      tab.toolbar.hide();
      app.shell.add(tab, 'main');
      app.shell.activateById(tab.id);
    };
    const host: IProgramHost = {
      panel,
      editors: editors.factoryService,
      trans,
      open: choice => void open(choice)
    };
    const rowEntry = (args: ReadonlyPartialJSONObject): number | null =>
      rowTarget(app, args).entry ?? null;
    /** The entry that is looked at closely, where it is another one of the same function. */
    const otherOf = (entry: number | null): number | null => {
      const { selected, entries } = panel.model.state;
      const other = selected?.kind === 'entry' ? selected.id : 0;
      const owner = entries.get(other)?.function;
      return other !== entry && owner === entries.get(entry ?? 0)?.function
        ? (owner && other) || null
        : null;
    };
    app.commands.addCommand(CommandIDs.openProgram, {
      label: trans.__('Open the Program'),
      icon: jitIcon,
      isEnabled: args => rowEntry(args) !== null,
      execute: args => {
        const entry = rowEntry(args);
        const { other, what } = args;
        return (
          entry !== null &&
          open({
            entry,
            other: typeof other === 'number' ? other : null,
            what: KINDS.find(kind => kind === what) ?? 'jaxpr'
          })
        );
      },
      describedBy: {
        args: {
          type: 'object',
          properties: {
            entry: ENTRY,
            other: {
              type: 'number',
              description: 'The id of the entry to compare it with'
            },
            what: { type: 'string', enum: [...KINDS] }
          }
        }
      }
    });
    app.commands.addCommand(CommandIDs.comparePrograms, {
      label: args => {
        const other = otherOf(rowEntry(args));
        return other === null
          ? trans.__('Compare Its Program')
          : trans.__("Compare with Entry %1's Program", other);
      },
      isVisible: args => otherOf(rowEntry(args)) !== null,
      execute: args => {
        const entry = rowEntry(args);
        const other = otherOf(entry);
        return (
          entry !== null &&
          other !== null &&
          open({ entry, other, what: 'jaxpr' })
        );
      },
      describedBy: {
        args: {
          type: 'object',
          properties: {
            entry: ENTRY
          }
        }
      }
    });
  }
};

let opened = 0;

const ENTRY = {
  type: 'number',
  description:
    'The id of a cache entry; else that of the row with the context menu'
};
