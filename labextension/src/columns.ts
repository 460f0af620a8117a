/** The columns of the tree-table: which there are, and which find room. */
import type { ColumnId } from './tokens';

/** In the order in which they stand in the table. */
export const COLUMNS: readonly ColumnId[] = [
  'name',
  'entries',
  'hits',
  'misses',
  'rate',
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
  compile: 54,
  share: 44,
  execute: 78,
  memory: 58,
  used: 58
};
/** Where there is little room for the names. */
const NARROW_WIDTHS: Partial<Record<ColumnId, number>> = {
  hits: 33,
  misses: 38,
  compile: 46
};
const NARROW = 300;
const GAP = 4;

export interface IPlacedColumn {
  readonly id: ColumnId;
  /** 0: what is left. */
  readonly width: number;
}

/**
 * The columns that find room, the most wanted first, in the table's order. The first three are always there; the name keeps
 * a third of the width and at least 130 pixels beside any more of them.
 */
export function placeColumns(
  wanted: readonly ColumnId[],
  width: number
): IPlacedColumn[] {
  const least = Math.max(130, width / 3);
  const widthOf = (id: ColumnId): number =>
    (width < NARROW ? NARROW_WIDTHS[id] : undefined) ?? WIDTHS[id];
  const fit = new Set<ColumnId>(['name']);
  let left = width - 30;
  wanted.forEach((id, place) => {
    left -= widthOf(id) + GAP;
    if (place < 3 || left >= least) {
      fit.add(id);
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
