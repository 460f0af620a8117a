/** What the panel can be told to do: from its menus, the palette, or by another extension. */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Clipboard, Dialog, showDialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { pythonIcon } from '@jupyterlab/ui-components';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import { isColumn } from './columns';
import { asCsv, asMarkdown } from './markdown';
import type { IJitPanel } from './jitpanel';
import { rowTarget } from './rowmenu';
import { CommandIDs } from './tokens';
import { columnWords } from './views/words';

const OF_A_FUNCTION = {
  args: {
    type: 'object',
    properties: {
      function: {
        type: 'number',
        description:
          'The id of the function; else that of the row with the context menu'
      },
      epoch: {
        type: 'string',
        description: 'The start of the extension that the id is of'
      }
    }
  }
};
const NO_ARGUMENTS = { args: { type: 'object', properties: {} } };

export function addCommands(
  app: JupyterFrontEnd,
  panel: IJitPanel,
  trans: TranslationBundle
): void {
  const { commands } = app;
  const { model } = panel;
  const idOf = (args: ReadonlyPartialJSONObject): number =>
    rowTarget(app, args).function ?? 0;
  const row = (args: ReadonlyPartialJSONObject) =>
    model.state.functions.get(idOf(args));
  const hasRows = (): boolean => model.state.functions.size > 0;
  const isLive = (): boolean => model.state.link === 'live' && hasRows();

  commands.addCommand(CommandIDs.goToDefinition, {
    label: trans.__('Go to Definition'),
    icon: pythonIcon,
    isEnabled: args => row(args) !== undefined,
    execute: async args => {
      const found = row(args);
      if (found) {
        await panel.goTo(found.place);
      }
    },
    describedBy: OF_A_FUNCTION
  });
  commands.addCommand(CommandIDs.pin, {
    label: trans.__('Pin to the Top'),
    isToggled: args => model.state.pinned.has(idOf(args)),
    isToggleable: true,
    isEnabled: args => row(args) !== undefined,
    execute: args => model.togglePin(idOf(args)),
    describedBy: OF_A_FUNCTION
  });
  commands.addCommand(CommandIDs.clearFunction, {
    label: args => trans.__("Clear %1's Cache", row(args)?.name ?? ''),
    isEnabled: args => isLive() && row(args)?.alive === true,
    execute: async args => {
      const name = row(args)?.name ?? '';
      const reply = await panel.ask('clear', {
        function: idOf(args),
        epoch: typeof args.epoch === 'string' ? args.epoch : model.state.epoch
      });
      if (reply) {
        model.say(cleared(trans, name, Number(reply.entries)));
      }
    },
    describedBy: OF_A_FUNCTION
  });
  commands.addCommand(CommandIDs.clearAll, {
    label: trans.__('Clear All Caches…'),
    isEnabled: isLive,
    execute: async () => {
      const { epoch } = model.state;
      const answer = await showDialog({
        title: trans.__('Clear all jit caches?'),
        body: trans.__(
          'Every function under %1 is compiled again at its next call. Results do not change.',
          'jm.jit'
        ),
        buttons: [
          Dialog.cancelButton(),
          Dialog.warnButton({ label: trans.__('Clear') })
        ]
      });
      if (answer.button.accept) {
        const reply = await panel.ask('clear', { function: 0, epoch });
        if (reply) {
          model.say(
            cleared(trans, trans.__('All functions'), Number(reply.entries))
          );
        }
      }
    },
    describedBy: NO_ARGUMENTS
  });
  commands.addCommand(CommandIDs.expandAll, {
    label: trans.__('Expand All'),
    isEnabled: hasRows,
    execute: () => model.expand(model.state.functions.keys(), true),
    describedBy: NO_ARGUMENTS
  });
  commands.addCommand(CommandIDs.collapseAll, {
    label: trans.__('Collapse All'),
    isEnabled: hasRows,
    execute: () => model.expand(model.state.functions.keys(), false),
    describedBy: NO_ARGUMENTS
  });
  commands.addCommand(CommandIDs.pauseRecording, {
    label: () =>
      model.state.paused === null
        ? trans.__('Pause Recording')
        : trans.__('Resume Recording'),
    caption: trans.__(
      'While paused, functions run as usual and their calls are not counted'
    ),
    isEnabled: () => model.state.link === 'live',
    execute: () => panel.pauseRecording(model.state.paused === null),
    describedBy: NO_ARGUMENTS
  });
  commands.addCommand(CommandIDs.toggleColumn, {
    label: args =>
      isColumn(args.column)
        ? columnWords(trans, args.column)[0]
        : trans.__('Show or Hide a Column'),
    isToggleable: true,
    isToggled: args =>
      isColumn(args.column) && model.state.columns.includes(args.column),
    isEnabled: args => isColumn(args.column) && args.column !== 'name',
    execute: args => {
      if (isColumn(args.column)) {
        panel.toggleColumn(args.column);
      }
    },
    describedBy: {
      args: {
        type: 'object',
        properties: {
          column: { type: 'string', description: 'The id of the column' }
        },
        required: ['column']
      }
    }
  });
  commands.addCommand(CommandIDs.refresh, {
    label: trans.__('Ask the Kernel Again'),
    isEnabled: isLive,
    execute: () => panel.ask('snapshot'),
    describedBy: NO_ARGUMENTS
  });
  commands.addCommand(CommandIDs.copyMarkdown, {
    label: trans.__('Copy as Markdown'),
    isEnabled: hasRows,
    execute: () => {
      Clipboard.copyToSystem(asMarkdown(model.state));
      model.say(trans.__('The table is on the clipboard.'));
    },
    describedBy: NO_ARGUMENTS
  });
  commands.addCommand(CommandIDs.saveCsv, {
    label: trans.__('Save as CSV'),
    isEnabled: hasRows,
    execute: () => {
      const link = document.createElement('a');
      const url = URL.createObjectURL(
        new Blob([asCsv(model.state)], { type: 'text/csv' })
      );
      link.href = url;
      link.download = 'jit-caches.csv';
      link.click();
      setTimeout(() => URL.revokeObjectURL(url), 1000);
      model.say(trans.__('The entries are in jit-caches.csv.'));
    },
    describedBy: NO_ARGUMENTS
  });
}

function cleared(
  trans: TranslationBundle,
  name: string,
  entries: number
): string {
  return trans._n(
    '%2: %1 entry cleared.',
    '%2: %1 entries cleared.',
    entries,
    name
  );
}
