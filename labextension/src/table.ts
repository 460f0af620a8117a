/**
 * The rows of the tree-table: functions and, under those that are open, their entries; filtered and sorted. Plain functions.
 */
import type { IEntryRow, IFunctionRow } from './protocol';
import { isRecompile } from './model';
import type { ColumnId, IPanelState } from './tokens';

export type Show = 'all' | 'missed' | 'dead';

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
export function isColumn(word: string): word is ColumnId {
  return (COLUMNS as readonly string[]).includes(word);
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
  const fit = new Set<ColumnId>(['name']);
  let left = width - 30;
  wanted.forEach((id, place) => {
    left -= WIDTHS[id] + GAP;
    if (place < 3 || left >= least) {
      fit.add(id);
    }
  });
  return COLUMNS.filter(id => fit.has(id)).map(id => ({
    id,
    width: WIDTHS[id]
  }));
}

export interface ISort {
  readonly column: ColumnId;
  readonly down: boolean;
}

export interface ITableView {
  readonly filter: string;
  readonly show: Show;
  readonly sort: ISort | null;
  readonly expanded: ReadonlySet<number>;
  /** Functions that stay on top. */
  readonly pinned: ReadonlySet<number>;
}

export interface IFunctionItem {
  readonly kind: 'function';
  readonly key: string;
  readonly row: IFunctionRow;
  /** Entries that live. */
  readonly entries: number;
  readonly expanded: boolean;
  /** Least and greatest of the entries' median execution times; null while none was measured. */
  readonly execute: readonly [number, number] | null;
  /** Part of all compile time, 0 to 1. */
  readonly share: number;
  readonly memory: number | null;
  readonly used: number | null;
  readonly dead: boolean;
  readonly pinned: boolean;
  readonly position: number;
  readonly count: number;
}

export interface IEntryItem {
  readonly kind: 'entry';
  readonly key: string;
  readonly row: IEntryRow;
  readonly memory: number | null;
  readonly dead: boolean;
  readonly position: number;
  readonly count: number;
}

export type Item = IFunctionItem | IEntryItem;

/** `f32[3]  n=5`, the text by which an entry is known. */
export function entryLabel(row: IEntryRow): string {
  const statics = Object.entries(row.static).map(
    ([name, value]) => `${name}=${value}`
  );
  return [row.avals, ...statics].filter(Boolean).join('  ') || '()';
}

const searchTexts = new WeakMap<IEntryRow, string>();

/** The label in small letters, made once a row: rows are never changed, only replaced. */
function searched(row: IEntryRow): string {
  let text = searchTexts.get(row);
  if (text === undefined) {
    text = entryLabel(row).toLowerCase();
    searchTexts.set(row, text);
  }
  return text;
}

export function isDeadEntry(row: IEntryRow): boolean {
  return row.superseded || !row.alive;
}

export function isDeadFunction(row: IFunctionRow): boolean {
  return row.superseded || !row.alive;
}

/** What an entry's executable needs: code and temporaries; null while the kernel did not say. */
export function entryMemory(row: IEntryRow): number | null {
  if (row.executable_bytes === null && row.temp_bytes === null) {
    return null;
  }
  return (row.executable_bytes ?? 0) + (row.temp_bytes ?? 0);
}

export function tableItems(state: IPanelState, view: ITableView): Item[] {
  const entriesOf = new Map<number, IEntryRow[]>();
  for (const entry of state.entries.values()) {
    const known = entriesOf.get(entry.function);
    if (known) {
      known.push(entry);
    } else {
      entriesOf.set(entry.function, [entry]);
    }
  }
  const recompiled = new Set(
    view.show === 'missed'
      ? state.misses.filter(isRecompile).map(miss => miss.function)
      : []
  );
  const total = [...state.functions.values()].reduce(
    (sum, row) => sum + (row.compile_s ?? 0),
    0
  );
  const words = view.filter.trim().toLowerCase();
  const functions: IFunctionItem[] = [];
  const shown = new Map<number, IEntryRow[]>();
  for (const row of state.functions.values()) {
    const all = entriesOf.get(row.id) ?? [];
    const dead = isDeadFunction(row);
    if (view.show === 'missed' && !recompiled.has(row.id)) {
      continue;
    }
    let entries = all;
    if (view.show === 'dead' && !dead) {
      entries = all.filter(isDeadEntry);
      if (entries.length === 0) {
        continue;
      }
    }
    if (words && !row.name.toLowerCase().includes(words)) {
      entries = entries.filter(entry => searched(entry).includes(words));
      if (entries.length === 0) {
        continue;
      }
    }
    shown.set(row.id, entries);
    functions.push({
      kind: 'function',
      key: `f${row.id}`,
      row,
      entries: all.filter(entry => !isDeadEntry(entry)).length,
      expanded: view.expanded.has(row.id) && entries.length > 0,
      execute: range(all),
      share: total > 0 ? (row.compile_s ?? 0) / total : 0,
      memory: all.reduce<number | null>((sum, entry) => {
        const memory = entryMemory(entry);
        return memory === null ? sum : (sum ?? 0) + memory;
      }, null),
      used: all.reduce<number | null>(
        (last, entry) =>
          entry.last_used_s === null
            ? last
            : Math.max(last ?? 0, entry.last_used_s),
        null
      ),
      dead,
      pinned: view.pinned.has(row.id),
      position: 0,
      count: 0
    });
  }
  if (view.sort) {
    const { column, down } = view.sort;
    functions.sort(ordered(item => functionValue(item, column), down));
  }
  if (view.pinned.size > 0) {
    functions.sort((a, b) => Number(b.pinned) - Number(a.pinned));
  }
  const items: Item[] = [];
  functions.forEach((item, position) => {
    items.push({ ...item, position: position + 1, count: functions.length });
    if (!item.expanded) {
      return;
    }
    const entries = [...(shown.get(item.row.id) ?? [])];
    if (view.sort) {
      const { column, down } = view.sort;
      entries.sort(ordered(entry => entryValue(entry, column), down));
    }
    entries.forEach((row, index) =>
      items.push({
        kind: 'entry',
        key: `e${row.id}`,
        row,
        memory: entryMemory(row),
        dead: isDeadEntry(row),
        position: index + 1,
        count: entries.length
      })
    );
  });
  return items;
}

function range(
  entries: readonly IEntryRow[]
): readonly [number, number] | null {
  const times = entries
    .map(entry => entry.execute_s)
    .filter((time): time is number => time !== null);
  return times.length ? [Math.min(...times), Math.max(...times)] : null;
}

type Value = string | number | null;

function functionValue(item: IFunctionItem, column: ColumnId): Value {
  switch (column) {
    case 'name':
      return item.row.name.toLowerCase();
    case 'entries':
      return item.entries;
    case 'hits':
      return item.row.hits;
    case 'misses':
      return item.row.misses;
    case 'compile':
    case 'share':
      return item.row.compile_s;
    case 'execute':
      return item.execute === null ? null : item.execute[1];
    case 'rate':
      return hitRate(item.row);
    case 'memory':
      return item.memory;
    case 'used':
      return item.used;
  }
}

function entryValue(row: IEntryRow, column: ColumnId): Value {
  switch (column) {
    case 'name':
      return entryLabel(row).toLowerCase();
    case 'hits':
    case 'rate':
      return row.hits;
    case 'compile':
    case 'share':
      return row.compile_s;
    case 'execute':
      return row.execute_s;
    case 'memory':
      return entryMemory(row);
    case 'used':
      return row.last_used_s;
    case 'entries':
    case 'misses':
      return null;
  }
}

/** Hits of hits and misses, 0 to 1; null before the first call. */
export function hitRate(row: IFunctionRow): number | null {
  const calls = row.hits + row.misses;
  return calls > 0 ? row.hits / calls : null;
}

/** Unknown values come last whichever way; equal ones keep their order. */
function ordered<Row>(
  value: (row: Row) => Value,
  down: boolean
): (a: Row, b: Row) => number {
  return (a, b) => {
    const left = value(a);
    const right = value(b);
    if (left === right) {
      return 0;
    }
    if (left === null) {
      return 1;
    }
    if (right === null) {
      return -1;
    }
    return (left < right ? -1 : 1) * (down ? -1 : 1);
  };
}
