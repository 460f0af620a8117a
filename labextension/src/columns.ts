/** The columns of the tree-table: which there are, and which find room. */
import type { ColumnId } from './tokens';

/** In the order in which they stand in the table. */
export const COLUMNS: readonly ColumnId[] = [
  'name',
  'entries',
  'hits',
  'misses',
  'rate',
  'cost',
  'compile',
  'share',
  'execute',
  'memory',
  'used'
];

/** Whether a word of the settings names a column. */
export function isColumn(word: unknown): word is ColumnId {
  return (COLUMNS as readonly unknown[]).includes(word);
}

/** Widths in pixels. */
const WIDTHS: Record<ColumnId, number> = {
  name: 0,
  entries: 46,
  hits: 34,
  misses: 42,
  rate: 50,
  cost: 46,
  compile: 54,
  share: 44,
  execute: 78,
  memory: 62,
  used: 58
};
const GAP = 4;
/** Room for twelve letters of a name, and for what opens it. */
const LEAST_NAME = 108;
/** The widest letter of a number, in pixels. */
const LETTER = 6.7;

export interface IPlacedColumn {
  readonly id: ColumnId;
  /** 0: what is left. */
  readonly width: number;
}

/**
 * The columns that find room, the most wanted first, in the table's order. The first is always there; the name keeps a third of the
 * width and room for twelve letters beside any more of them. `longest`: letters of the longest text in a column, which is never cut.
 */
export function placeColumns(
  wanted: readonly ColumnId[],
  width: number,
  longest: Partial<Record<ColumnId, number>> = {}
): IPlacedColumn[] {
  const least = Math.max(LEAST_NAME, width / 3);
  const widthOf = (id: ColumnId): number =>
    Math.max(WIDTHS[id], Math.ceil((longest[id] ?? 0) * LETTER));
  const fit = new Set<ColumnId>(['name']);
  let left = width - 26;
  wanted.forEach((id, place) => {
    const after = left - widthOf(id) - GAP;
    if (place === 0 || after >= least) {
      fit.add(id);
      left = after;
    }
  });
  return COLUMNS.filter(id => fit.has(id)).map(id => ({
    id,
    width: widthOf(id)
  }));
}

/** Show a column or take it away; one that was just asked for is the most wanted. */
export function toggled(
  columns: readonly ColumnId[],
  id: ColumnId
): readonly ColumnId[] {
  return columns.includes(id)
    ? columns.filter(each => each !== id)
    : [id, ...columns];
}
