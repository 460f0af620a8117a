/** The row of the table that a context menu was opened on: its items, which stand in the schema, are told nothing of it. */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

export interface IRowTarget {
  /** The ids of a function and of an entry; undefined where there is none. */
  readonly function: number | undefined;
  readonly entry: number | undefined;
}

/** What a command is about: what its arguments name, else the row below the context menu. */
export function rowTarget(
  app: JupyterFrontEnd,
  args: ReadonlyPartialJSONObject
): IRowTarget {
  if (args.function !== undefined || args.entry !== undefined) {
    return { function: asId(args.function), entry: asId(args.entry) };
  }
  const row = app.contextMenuHitTest(node => 'function' in node.dataset);
  // one that has gone since may have been of another kernel
  const { function: id, entry } = row?.isConnected
    ? row.dataset
    : ({} as DOMStringMap);
  return { function: asId(id), entry: asId(entry) };
}

function asId(value: unknown): number | undefined {
  const id = Number(value ?? NaN);
  return Number.isInteger(id) ? id : undefined;
}
