/**
 * The rows of the tree-table: functions and, under those that are open, their entries; filtered and sorted. Plain functions, in
 * two steps: what is known of each function changes with the kernel's rows only, what is shown with every stroke in the filter.
 */
import type { IEntryRow, IFunctionRow } from './protocol';
import { type IFilter, NO_FILTER, fits } from './filter';
import { isRecompile } from './model';
import type { ColumnId, IPanelState, Show } from './tokens';
import { costOf } from './totals';

export interface ISort {
  readonly column: ColumnId;
  readonly down: boolean;
}

export interface ITableView {
  readonly filter: IFilter;
  readonly show: Show;
  readonly sort: ISort | null;
  readonly expanded: ReadonlySet<number>;
  /** Functions that stay on top. */
  readonly pinned: ReadonlySet<number>;
}

/** A function and what its entries come to. */
export interface IFunctionFacts {
  readonly row: IFunctionRow;
  readonly all: readonly IEntryRow[];
  /** Entries that live. */
  readonly entries: number;
  /** Least and greatest of the entries' median execution times; null while none was measured. */
  readonly execute: readonly [number, number] | null;
  /** What its misses have cost: tracing, lowering, compiling. */
  readonly cost: number | null;
  /** Of a bar that compares costs, 0 to 1: by the root, so that small ones are seen beside a large one. */
  readonly bar: number;
  /** Part of all compile time, 0 to 1. */
  readonly share: number;
  /** Of its living entries of which it is known. */
  readonly memory: number | null;
  /** Whether that is all of them. */
  readonly memoryWhole: boolean;
  readonly used: number | null;
  readonly dead: boolean;
}

export interface IFunctionItem extends IFunctionFacts {
  readonly kind: 'function';
  readonly key: string;
  readonly expanded: boolean;
  readonly pinned: boolean;
  readonly position: number;
  readonly count: number;
}

export interface IEntryItem {
  readonly kind: 'entry';
  readonly key: string;
  readonly row: IEntryRow;
  /** What the entries of its function are told apart by. */
  readonly names: readonly string[];
  /** The longest value of each. */
  readonly lengths: readonly number[];
  readonly memory: number | null;
  readonly dead: boolean;
  readonly position: number;
  readonly count: number;
}

export type Item = IFunctionItem | IEntryItem;

/** Above the entries of a function: the names of what tells them apart. */
export interface IHeadingItem {
  readonly kind: 'heading';
  readonly key: string;
  readonly row: IFunctionRow;
  readonly names: readonly string[];
  readonly lengths: readonly number[];
}

export type ShownItem = Item | IHeadingItem;

/** What an entry is told apart by, name and value; `names` are its function's. */
export function entryParts(
  row: IEntryRow,
  names: readonly string[]
): readonly (readonly [name: string, value: string])[] {
  return names.length === row.apart.length
    ? names.map((name, place) => [name, row.apart[place]] as const)
    : [];
}

/** What does not tell an entry apart: arguments, static values, the transformation. */
export function entryRest(row: IEntryRow, names: readonly string[]): string {
  const rest = [row.arguments || row.avals];
  for (const name in row.static) {
    if (!names.includes(name)) {
      rest.push(`${name}=${row.static[name]}`);
    }
  }
  if (!names.includes('under')) {
    rest.push(row.transformation);
  }
  return rest.filter(Boolean).join(' · ');
}

/** `n=5, x.shape[0]=96 · x f32[96,64] · params {6}`: as `Apart.line` in `records/apart.py` writes it. */
export function entryLabel(row: IEntryRow, names: readonly string[]): string {
  const parts = entryParts(row, names).map(pair => pair.join('='));
  return (
    [parts.join(', '), entryRest(row, names)].filter(Boolean).join(' · ') ||
    'no arguments'
  );
}

const searchTexts = new WeakMap<IEntryRow, string>();

/** The label in small letters, made once a row: rows are never changed, only replaced. */
function searched(row: IEntryRow, names: readonly string[]): string {
  let text = searchTexts.get(row);
  if (text === undefined) {
    text = entryLabel(row, names).toLowerCase();
    searchTexts.set(row, text);
  }
  return text;
}

/** Make the texts that a filter looks at before anybody filters. */
export function prepareSearch(facts: readonly IFunctionFacts[]): void {
  facts.forEach(({ all, row }) =>
    all.forEach(each => searched(each, row.apart))
  );
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

/** What making an entry cost: tracing, lowering, compiling. */
export function entryCost(row: IEntryRow): number | null {
  const known = [row.trace_s, row.lower_s, row.compile_s].filter(
    (time): time is number => time !== null
  );
  return known.length ? known.reduce((sum, time) => sum + time, 0) : null;
}

/** What is known of each function, whatever is shown of it. */
export function tableFacts(
  state: Pick<IPanelState, 'functions' | 'entries'>
): IFunctionFacts[] {
  const entriesOf = new Map<number, IEntryRow[]>();
  for (const entry of state.entries.values()) {
    const known = entriesOf.get(entry.function);
    if (known) {
      known.push(entry);
    } else {
      entriesOf.set(entry.function, [entry]);
    }
  }
  let total = 0;
  let most = 0;
  for (const row of state.functions.values()) {
    total += row.compile_s ?? 0;
    most = Math.max(most, costOf(row) ?? 0);
  }
  const facts: IFunctionFacts[] = [];
  for (const row of state.functions.values()) {
    const all = entriesOf.get(row.id) ?? [];
    let entries = 0;
    let execute: [number, number] | null = null;
    let memory: number | null = null;
    let memoryWhole = true;
    let used: number | null = null;
    for (const entry of all) {
      const { execute_s: time, last_used_s: last } = entry;
      if (time !== null) {
        execute = execute
          ? [Math.min(execute[0], time), Math.max(execute[1], time)]
          : [time, time];
      }
      if (!isDeadEntry(entry)) {
        entries += 1;
        const size = entryMemory(entry);
        if (size !== null) {
          memory = (memory ?? 0) + size;
        } else {
          memoryWhole = false;
        }
      }
      if (last !== null) {
        used = Math.max(used ?? 0, last);
      }
    }
    const cost = costOf(row);
    facts.push({
      row,
      all,
      entries,
      execute,
      cost,
      bar: most > 0 ? Math.sqrt((cost ?? 0) / most) : 0,
      share: total > 0 ? (row.compile_s ?? 0) / total : 0,
      memory,
      memoryWhole,
      used,
      dead: isDeadFunction(row)
    });
  }
  return facts;
}

/** With a heading above the entries of each function that are told apart by something. */
export function withHeadings(items: readonly Item[]): ShownItem[] {
  const shown: ShownItem[] = [];
  let parent: IFunctionItem | null = null;
  for (const item of items) {
    if (item.kind === 'function') {
      parent = item;
    } else if (parent && item.position === 1 && item.names.length > 0) {
      const { names, lengths } = item;
      const { row } = parent;
      shown.push({ kind: 'heading', key: `h${row.id}`, row, names, lengths });
    }
    shown.push(item);
  }
  return shown;
}

interface IShown {
  readonly facts: IFunctionFacts;
  readonly entries: readonly IEntryRow[];
}

/** The rows in the order in which they stand. */
export function tableItems(
  state: Pick<IPanelState, 'functions' | 'entries' | 'misses'>,
  view: ITableView,
  facts: readonly IFunctionFacts[] = tableFacts(state)
): Item[] {
  const shown = sorted(filtered(facts, state, view), view);
  const items: Item[] = [];
  shown.forEach(({ facts: each, entries }, place) => {
    const expanded = view.expanded.has(each.row.id) && entries.length > 0;
    items.push({
      ...each,
      kind: 'function',
      key: `f${each.row.id}`,
      expanded,
      pinned: view.pinned.has(each.row.id),
      position: place + 1,
      count: shown.length
    });
    if (!expanded) {
      return;
    }
    const { sort } = view;
    const names = each.row.apart;
    const ordered = sort
      ? inOrder(entries, row => entryValue(row, names, sort.column), sort.down)
      : entries;
    const lengths = names.map((_, at) =>
      ordered.reduce(
        (most, { apart }) => Math.max(most, apart[at]?.length ?? 0),
        0
      )
    );
    ordered.forEach((row, index) =>
      items.push({
        kind: 'entry',
        key: `e${row.id}`,
        row,
        names,
        lengths,
        memory: entryMemory(row),
        dead: isDeadEntry(row),
        position: index + 1,
        count: ordered.length
      })
    );
  });
  return items;
}

function filtered(
  facts: readonly IFunctionFacts[],
  state: Pick<IPanelState, 'misses'>,
  { filter, show }: ITableView
): IShown[] {
  const recompiled = new Set(
    show === 'recompiled'
      ? state.misses.filter(isRecompile).map(miss => miss.function)
      : []
  );
  const causes = filter.causes.length > 0 ? causesOf(state.misses) : null;
  const shown: IShown[] = [];
  for (const each of facts) {
    const { row } = each;
    if (show === 'recompiled' && !recompiled.has(row.id)) {
      continue;
    }
    if (
      filter !== NO_FILTER &&
      !fits(filter, row.name, each.cost, () => causes?.get(row.id) ?? [])
    ) {
      continue;
    }
    let entries = each.all;
    if (show === 'dead' && !each.dead) {
      entries = entries.filter(isDeadEntry);
      if (entries.length === 0) {
        continue;
      }
    }
    const name = row.name.toLowerCase();
    const words = filter.words.filter(word => !name.includes(word));
    if (words.length > 0) {
      entries = entries.filter(entry => {
        const text = searched(entry, row.apart);
        return words.every(word => text.includes(word));
      });
      if (entries.length === 0) {
        continue;
      }
    }
    shown.push({ facts: each, entries });
  }
  return shown;
}

function causesOf(misses: IPanelState['misses']): Map<number, Set<string>> {
  const found = new Map<number, Set<string>>();
  for (const { function: id, causes } of misses) {
    const known = found.get(id) ?? new Set();
    causes.forEach(({ cause }) => known.add(cause));
    found.set(id, known);
  }
  return found;
}

function sorted(
  shown: readonly IShown[],
  { sort, pinned }: ITableView
): readonly IShown[] {
  const ordered = sort
    ? inOrder(
        shown,
        ({ facts }) => functionValue(facts, sort.column),
        sort.down
      )
    : shown;
  // what lives comes before what nothing can hit any more
  const rank = ({ facts }: IShown): number =>
    pinned.has(facts.row.id) ? 0 : facts.dead ? 2 : 1;
  return [0, 1, 2].flatMap(place =>
    ordered.filter(each => rank(each) === place)
  );
}

type Value = string | number | null;

function functionValue(facts: IFunctionFacts, column: ColumnId): Value {
  switch (column) {
    case 'name':
      return facts.row.name.toLowerCase();
    case 'entries':
      return facts.entries;
    case 'hits':
      return facts.row.hits;
    case 'misses':
      return facts.row.misses;
    case 'cost':
      return facts.cost;
    case 'compile':
    case 'share':
      return facts.row.compile_s;
    case 'execute':
      return facts.execute === null ? null : facts.execute[1];
    case 'rate':
      return hitRate(facts.row);
    case 'memory':
      return facts.memory;
    case 'used':
      return facts.used;
  }
}

function entryValue(
  row: IEntryRow,
  names: readonly string[],
  column: ColumnId
): Value {
  switch (column) {
    case 'name':
      return searched(row, names);
    case 'hits':
    case 'rate':
      return row.hits;
    case 'cost':
      return entryCost(row);
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

/** Share of hits among hits and misses, 0 to 1; null before the first call. */
export function hitRate(row: IFunctionRow): number | null {
  const calls = row.hits + row.misses;
  return calls > 0 ? row.hits / calls : null;
}

/** Each value is asked for once. Unknown values come last whichever way; equal ones keep their order. */
function inOrder<Row>(
  rows: readonly Row[],
  value: (row: Row) => Value,
  down: boolean
): readonly Row[] {
  const keyed = rows.map(row => ({ row, value: value(row) }));
  keyed.sort(({ value: left }, { value: right }) => {
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
  });
  return keyed.map(({ row }) => row);
}
