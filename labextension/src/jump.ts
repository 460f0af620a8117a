/** From a line in the panel to the cell or file that it stands for. */
import type { CommandRegistry } from '@lumino/commands';

import type { IPlace } from './protocol';
import type { IFix } from './tokens';
import type { Followed } from './tracker';

/**
 * Scroll to the cell that ran as `In[place.cell]` and put the cursor on its line; or open the file. False where there is no
 * such cell any more.
 */
export async function jumpTo(
  place: IPlace,
  followed: Followed,
  commands: CommandRegistry
): Promise<boolean> {
  if (place.cell === null) {
    return openFile(place, commands);
  }
  if (followed.kind !== 'notebook') {
    return false;
  }
  const notebook = followed.panel.content;
  const index = notebook.widgets.findIndex(
    cell =>
      (cell.model as unknown as { executionCount?: number | null })
        .executionCount === place.cell
  );
  if (index < 0) {
    return false;
  }
  notebook.deselectAll();
  notebook.activeCellIndex = index;
  const cell = notebook.widgets[index];
  await notebook.scrollToItem(index, 'smart');
  notebook.mode = 'edit';
  const editor = cell.editor;
  if (editor) {
    const line = Math.min(place.line, editor.lineCount) - 1;
    editor.setCursorPosition({ line: Math.max(0, line), column: 0 });
    editor.focus();
  }
  return true;
}

async function openFile(
  place: IPlace,
  commands: CommandRegistry
): Promise<boolean> {
  const path = place.file;
  if (!path || path.startsWith('/') || path.startsWith('<')) {
    return false; // outside the folder that the server shows
  }
  await commands.execute('docmanager:open', { path });
  return true;
}

/** Replace the text of the cell that a fix was made for; the editor's undo takes it back. False if no cell has that text. */
export async function applyFix(
  fix: Pick<IFix, 'before' | 'after'>,
  followed: Followed
): Promise<boolean> {
  if (
    followed.kind !== 'notebook' ||
    fix.before === null ||
    fix.after === null
  ) {
    return false;
  }
  const notebook = followed.panel.content;
  const index = notebook.widgets.findIndex(
    cell => cell.model.sharedModel.source.trimEnd() === fix.before?.trimEnd()
  );
  if (index < 0) {
    return false;
  }
  notebook.deselectAll();
  notebook.activeCellIndex = index;
  await notebook.scrollToItem(index, 'smart');
  notebook.widgets[index].model.sharedModel.setSource(fix.after);
  return true;
}
