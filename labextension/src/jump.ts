/** From a line in the panel to the cell or file that it stands for. */
import type { Cell, ICodeCellModel } from '@jupyterlab/cells';
import type { CodeEditor } from '@jupyterlab/codeeditor';
import { PageConfig, PathExt } from '@jupyterlab/coreutils';
import type { IDocumentWidget } from '@jupyterlab/docregistry';
import type { Notebook } from '@jupyterlab/notebook';
import type { CommandRegistry } from '@lumino/commands';
import type { Widget } from '@lumino/widgets';

import type { IFix, IPlace } from './protocol';
import type { Applied } from './tokens';
import type { Followed } from './tracker';

/** `gone`: no such cell any more; `outside`: a file that the server does not show. */
export type Jumped = 'there' | 'gone' | 'outside';

/**
 * Scroll to the cell that ran as `In[place.cell]`, or open the file, and put the cursor on the line.
 *
 * @param home - the user's folder
 * @param cellId - the cell's own id, where the kernel knows it: its number may stand beside a cell of an earlier kernel, too
 */
export async function jumpTo(
  place: IPlace,
  followed: Followed,
  commands: CommandRegistry,
  home = '',
  cellId = ''
): Promise<Jumped> {
  if (place.cell === null) {
    const folder = PathExt.dirname(followed.panel.sessionContext.path);
    return openFile(
      place,
      serverPath(place.file, folder, serverRoot(home)),
      commands
    );
  }
  if (followed.kind !== 'notebook') {
    return 'gone';
  }
  const notebook = followed.panel.content;
  const index = notebook.widgets.findIndex(({ model }) =>
    cellId
      ? model.id === cellId
      : model.type === 'code' &&
        (model as ICodeCellModel).executionCount === place.cell
  );
  if (index < 0) {
    return 'gone';
  }
  notebook.deselectAll();
  notebook.activeCellIndex = index;
  const cell = notebook.widgets[index];
  await notebook.scrollToItem(index, 'smart');
  notebook.mode = 'edit';
  toLine(cell.editor, place.line);
  return 'there';
}

function toLine(editor: CodeEditor.IEditor | null | undefined, line: number) {
  if (editor) {
    const there = Math.max(0, Math.min(line, editor.lineCount) - 1);
    editor.setCursorPosition({ line: there, column: 0 });
    editor.focus();
  }
}

async function openFile(
  place: IPlace,
  path: string | null,
  commands: CommandRegistry
): Promise<Jumped> {
  if (path === null) {
    return 'outside';
  }
  const opened = (await commands.execute('docmanager:open', { path })) as
    IDocumentWidget<Widget & { editor?: CodeEditor.IEditor }> | undefined;
  await opened?.context.ready;
  toLine(opened?.content.editor, place.line);
  return 'there';
}

/**
 * A file as the server names it, from its root; null where the server does not show it.
 *
 * @param file - as Python names it: absolute, or from the folder in which the kernel was started
 * @param folder - that folder, as the server names it
 * @param root - the server's root in its file system
 */
export function serverPath(
  file: string,
  folder: string,
  root: string
): string | null {
  if (!file || file.startsWith('<')) {
    return null;
  }
  const named = withSlashes(file);
  const above = withSlashes(root || 'somewhere');
  const base = steps(above);
  const whole = isAbsolute(named)
    ? steps(named)
    : steps(`${above}/${folder}/${named}`);
  const isBelow =
    (root !== '' || !isAbsolute(named)) &&
    whole.length > base.length &&
    base.every((step, index) => step === whole[index]);
  return isBelow ? whole.slice(base.length).join('/') : null;
}

/** The names on a path, without `.` and `..`. */
function steps(path: string): string[] {
  const done: string[] = [];
  for (const step of path.split('/')) {
    if (step === '..') {
      done.pop();
    } else if (step !== '' && step !== '.') {
      done.push(step);
    }
  }
  return done;
}

function isAbsolute(path: string): boolean {
  return path.startsWith('/') || /^[A-Za-z]:\//.test(path);
}

/** Windows' backslashes as slashes; elsewhere they are letters of a name. */
function withSlashes(path: string): string {
  return /^[A-Za-z]:\\/.test(path) ? path.replace(/\\/g, '/') : path;
}

/** The server's root in its file system, where it says `~` for the user's folder; empty where the page does not tell. */
function serverRoot(home: string): string {
  const root = PageConfig.getOption('serverRoot');
  return !root.startsWith('~')
    ? root
    : home && withSlashes(home) + root.slice(1);
}

/**
 * Replace the text of the cell that a fix was made for, and `run` it where that is wanted; the editor's undo takes it back. `changed` if no
 * cell has that text, or if several have and none is known to be it; `there` if the cell has the new text already.
 *
 * @param onText - told whether the cell has the new text, whenever that changes; it says whether it still wants to know
 */
export async function applyFix(
  fix: Pick<IFix, 'cell' | 'cellId' | 'before' | 'after'>,
  followed: Followed,
  run?: (followed: Followed) => Promise<unknown>,
  onText: (isThere: boolean) => boolean = () => false
): Promise<Applied> {
  if (
    followed.kind !== 'notebook' ||
    fix.before === null ||
    fix.after === null
  ) {
    return 'changed';
  }
  const notebook = followed.panel.content;
  const before = cellWith(notebook, fix.before, fix);
  const cell = before ?? cellWith(notebook, fix.after, fix);
  if (!cell) {
    return 'changed';
  }
  const index = notebook.widgets.indexOf(cell);
  notebook.deselectAll();
  notebook.activeCellIndex = index;
  await notebook.scrollToItem(index, 'smart');
  if (before) {
    cell.model.sharedModel.setSource(fix.after);
  }
  followText(
    cell,
    // of a cell that was moved there is another one
    () =>
      !notebook.isDisposed && cellWith(notebook, fix.after!, fix) !== undefined,
    onText
  );
  await run?.(followed);
  return before ? 'done' : 'there';
}

/** Whether it is there, told at once and whenever the cell has changed that (an undo, an edit, its end) while anybody wants to know. */
function followText(
  cell: Cell,
  isInNotebook: () => boolean,
  tell: (isThere: boolean) => boolean
): void {
  const { sharedModel } = cell.model;
  let was: boolean | null = null;
  const look = (): void => {
    const isThere = isInNotebook();
    if (isThere !== was) {
      was = isThere;
      if (!tell(isThere)) {
        sharedModel.changed.disconnect(look);
        cell.disposed.disconnect(look);
      }
    }
  };
  sharedModel.changed.connect(look);
  cell.disposed.connect(look);
  look();
}

/** The same but for blanks at the end, which the kernel's history drops. */
function isText(source: string, wanted: string): boolean {
  return source.trimEnd() === wanted.trimEnd();
}

/** The cell with this text: the one that is known to be it, or the only one. */
function cellWith(
  notebook: Notebook,
  text: string,
  fix: Pick<IFix, 'cell' | 'cellId'>
): Cell | undefined {
  const same = notebook.widgets.filter(
    ({ isDisposed, model }) =>
      !isDisposed &&
      model.type === 'code' &&
      isText(model.sharedModel.source, text)
  );
  return (
    same.find(({ model }) => fix.cellId !== '' && model.id === fix.cellId) ??
    same.find(
      ({ model }) =>
        fix.cell !== null &&
        (model as ICodeCellModel).executionCount === fix.cell
    ) ??
    (same.length === 1 ? same[0] : undefined)
  );
}
