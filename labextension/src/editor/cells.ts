/** Which of a notebook's cells is meant by the number that it ran under. */
import type { ICodeCellModel } from '@jupyterlab/cells';
import type { CodeEditor } from '@jupyterlab/codeeditor';
import type { INotebookModel } from '@jupyterlab/notebook';

/** Seconds that a call may come after its cell has ended, as from a thread. */
const AFTER = 5;

export function asCodeCell(model: CodeEditor.IModel): ICodeCellModel | null {
  const cell = model as Partial<ICodeCellModel>;
  return cell.type === 'code' ? (cell as ICodeCellModel) : null;
}

/** The numbers that stand beside one cell alone: after a restart the cells that ran before it keep theirs. */
export function numbersOfOne(
  notebook: INotebookModel | null
): ReadonlySet<number> {
  const once = new Set<number>();
  const seen = new Set<number>();
  for (const cell of notebook?.cells ?? []) {
    const number = asCodeCell(cell)?.executionCount ?? null;
    if (number !== null) {
      if (seen.has(number)) {
        once.delete(number);
      } else {
        once.add(number);
      }
      seen.add(number);
    }
  }
  return once;
}

/** Whether a cell can have been running at a moment, as far as the times tell that JupyterLab keeps of its last run. */
export function canHaveRun(cell: ICodeCellModel, at: number | null): boolean {
  const times = cell.getMetadata('execution') as
    Record<string, string> | undefined;
  const begun = Date.parse(times?.['iopub.execute_input'] ?? '') / 1000;
  const ended = Date.parse(times?.['shell.execute_reply'] ?? '') / 1000;
  return (
    at === null || (!(at < begun - AFTER) && !(at > ended + AFTER)) // what is not known is no number
  );
}
