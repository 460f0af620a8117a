/** Load the extension as the user would: a cell with the line, run. */
import { NotebookActions } from '@jupyterlab/notebook';

import { LOAD_LINE } from './tokens';
import type { Followed } from './tracker';

/** Run the current cell. */
export async function runCell(followed: Followed): Promise<void> {
  if (followed.kind === 'notebook') {
    const { content, sessionContext } = followed.panel;
    await NotebookActions.run(content, sessionContext);
  }
}

const LOADS = /^\s*%(load_ext|reload_ext)\s+jupyter_jitmagic\b/m;

/**
 * In a notebook, run the cell that loads the extension; if there is none, insert one at the top first. In a console, inject
 * the line.
 */
export async function loadExtension(followed: Followed): Promise<void> {
  if (followed.kind === 'console') {
    await followed.panel.console.inject(LOAD_LINE);
    return;
  }
  const notebook = followed.panel.content;
  const { sharedModel } = notebook.model!;
  let index = notebook.widgets.findIndex(
    cell =>
      cell.model.type === 'code' && LOADS.test(cell.model.sharedModel.source)
  );
  if (index < 0) {
    index = 0;
    sharedModel.insertCell(0, { cell_type: 'code', source: LOAD_LINE });
  }
  // run, in every version of JupyterLab, runs the selected cells: select, run, and give the user's cell back
  const before = notebook.activeCell;
  notebook.deselectAll();
  notebook.activeCellIndex = index;
  await NotebookActions.run(notebook, followed.panel.sessionContext);
  const back = before ? notebook.widgets.indexOf(before) : -1;
  if (back >= 0) {
    notebook.activeCellIndex = back;
  }
}
