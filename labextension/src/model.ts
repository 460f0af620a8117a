/**
 * The panel's state, kept from the kernel's messages. No JupyterLab, no React: another front end can use it as it is.
 */
import type {
  ICounts,
  ICureRow,
  IEntryRow,
  IFunctionRow,
  IMissRow,
  INowRow,
  ISnapshot,
  IUpdate
} from './protocol';
import type {
  ColumnId,
  ICountsState,
  IHeat,
  INow,
  IPanelState,
  IPanelStore,
  ISource,
  IViewState,
  Layout,
  LinkState,
  Selection
} from './tokens';

const EMPTY: IPanelState = {
  source: null,
  link: 'none',
  heard: 0,
  epoch: '',
  home: '',
  busy: false,
  revision: 0,
  functions: new Map(),
  entries: new Map(),
  misses: [],
  diagnoses: [],
  others: [],
  cures: [],
  now: [],
  counts: { running: 0, misses: 0, compile_s: null },
  paused: null,
  filter: '',
  show: 'all',
  order: 'cost',
  range: null,
  layout: {},
  applied: new Set(),
  selected: null,
  heat: null,
  expanded: new Set(),
  pinned: new Set(),
  columns: ['cost', 'misses', 'hits', 'entries', 'execute', 'rate', 'memory'],
  said: ''
};

/** What is kept of the state when the page goes; the ids are of this `epoch`. */
export interface IKept {
  readonly show: IPanelState['show'];
  readonly order: IPanelState['order'];
  readonly layout: Layout;
  readonly epoch: string;
  readonly pinned: number[];
  readonly expanded: number[];
}

const MISSES_KEPT = 2000;

/** Where a message led: the rows are right, or one was missed and a snapshot is needed, or it was not for us. */
export type Applied = 'applied' | 'gap' | 'ignored';

export class PanelModel implements IPanelStore {
  get state(): IPanelState {
    return this._state;
  }

  /** Call `listener` after every change; returns what ends that. Made for React's `useSyncExternalStore`. */
  subscribe = (listener: () => void): (() => void) => {
    this._listeners.add(listener);
    return () => {
      this._listeners.delete(listener);
    };
  };

  setSource(source: ISource | null): void {
    const old = this._state.source;
    if (
      old?.path !== source?.path ||
      old?.name !== source?.name ||
      old?.kind !== source?.kind
    ) {
      this._change({ source });
    }
  }

  setLink(link: LinkState): void {
    if (link !== this._state.link) {
      this._change({ link });
    }
  }

  setBusy(busy: boolean): void {
    if (busy !== this._state.busy) {
      this._change({ busy });
    }
  }

  /** Forget every row: they were of another kernel, or of one that is gone. */
  clear(link: LinkState): void {
    this._functions = new Map();
    this._entries = new Map();
    this._seq = 0;
    this._change({
      ...this._newRows(),
      link,
      heard: 0,
      epoch: '',
      busy: false,
      functions: this._functions,
      entries: this._entries,
      misses: [],
      diagnoses: [],
      others: [],
      cures: EMPTY.cures,
      now: [],
      counts: EMPTY.counts,
      paused: null,
      applied: EMPTY.applied,
      range: null,
      selected: null,
      heat: null,
      expanded: EMPTY.expanded,
      pinned: EMPTY.pinned,
      said: ''
    });
  }

  applySnapshot(message: ISnapshot): Applied {
    const before = this._functions;
    this._functions = new Map(message.functions.map(row => [row.id, row]));
    this._entries = new Map(message.entries.map(row => [row.id, row]));
    this._seq = message.seq;
    const now = timed(message.now);
    this._change({
      ...this._newRows(),
      link: 'live',
      heard: performance.now(),
      epoch: message.epoch,
      home: message.home,
      busy: message.busy,
      functions: this._functions,
      entries: this._entries,
      misses: message.misses,
      diagnoses: message.diagnoses,
      others: message.others,
      paused: message.paused_s,
      expanded: same(this._state.expanded, before, this._functions),
      pinned: same(this._state.pinned, before, this._functions),
      ...this._restoredOf(message.epoch),
      now,
      counts: this._counted(now)
    });
    return 'applied';
  }

  applyUpdate(message: IUpdate): Applied {
    if (message.epoch !== this._state.epoch || message.seq <= this._seq) {
      return 'ignored';
    }
    if (message.seq !== this._seq + 1) {
      return 'gap';
    }
    this._seq = message.seq;
    put(this._functions, message.functions);
    put(this._entries, message.entries);
    message.gone_functions.forEach(id => this._functions.delete(id));
    message.gone_entries.forEach(id => this._entries.delete(id));
    const { misses, diagnoses, others } = this._state;
    const now = timed(message.now);
    const changed =
      message.functions.length > 0 ||
      message.entries.length > 0 ||
      message.gone_functions.length > 0 ||
      message.gone_entries.length > 0;
    this._change({
      ...(changed ? this._newRows() : {}),
      link: 'live',
      heard: performance.now(),
      busy: message.busy,
      misses: newest(merged(misses, message.misses)),
      diagnoses: merged(diagnoses, message.diagnoses),
      others: merged(others, message.others),
      now,
      counts: this._counted(now)
    });
    return 'applied';
  }

  /** Show an entry or an advice closely; what is not known yet is shown when it comes. */
  select(selected: Selection | null): void {
    const entry =
      selected?.kind === 'miss'
        ? this._state.misses.find(({ id }) => id === selected.id)?.entry
        : selected?.kind === 'entry'
          ? selected.id
          : undefined;
    const owner =
      entry === undefined ? undefined : this._entries.get(entry)?.function;
    if (owner !== undefined && !this._state.expanded.has(owner)) {
      this.expand([owner], true);
    }
    this._change({ selected });
  }

  /** Show or hide the entries of functions. */
  expand(functions: Iterable<number>, open: boolean): void {
    const expanded = new Set(this._state.expanded);
    for (const id of functions) {
      if (open) {
        expanded.add(id);
      } else {
        expanded.delete(id);
      }
    }
    this._change({ expanded });
  }

  /** Keep a function on top of the table, or no longer. */
  togglePin(functionId: number): void {
    const pinned = new Set(this._state.pinned);
    if (!pinned.delete(functionId)) {
      pinned.add(functionId);
    }
    this._change({ pinned });
  }

  /** Draw the heat of an entry's lines in the notebook's editor, or (null) none. */
  showHeat(heat: IHeat | null): void {
    this._change({ heat });
  }

  setCures(cures: readonly ICureRow[]): void {
    if (cures.length > 0 || this._state.cures.length > 0) {
      this._change({ cures });
    }
  }

  /** What of the state is worth keeping when the page goes. */
  get kept(): IKept {
    const { show, order, layout, epoch, pinned, expanded } = this._state;
    return {
      show,
      order,
      layout,
      epoch,
      pinned: [...pinned],
      expanded: [...expanded]
    };
  }

  /** Take over what was kept, field by field where it is of the right kind; what is of functions, once their epoch is seen again. */
  restore(kept: unknown): void {
    const { show, order, layout, epoch, pinned, expanded } = (kept ??
      {}) as Partial<Record<keyof IKept, unknown>>;
    this._change({
      ...(show === 'recompiled' || show === 'dead' ? { show } : {}),
      ...(order === 'time' ? { order } : {}),
      ...(layout && typeof layout === 'object'
        ? { layout: { ...(layout as Layout), ...this._state.layout } }
        : {})
    });
    const restored = {
      pinned: new Set(Array.isArray(pinned) ? (pinned as number[]) : []),
      expanded: new Set(Array.isArray(expanded) ? (expanded as number[]) : [])
    };
    if (epoch && epoch === this._state.epoch) {
      this._change(restored);
    } else if (typeof epoch === 'string') {
      this._restored = { epoch, ...restored };
    }
  }

  /** What is shown, and in which order. */
  setView(part: Partial<IViewState>): void {
    this._change(part);
  }

  /** An advice is in its cell, or no longer. */
  noteApplied(key: string, isThere: boolean): void {
    const applied = new Set(this._state.applied);
    if (isThere) {
      applied.add(key);
    } else {
      applied.delete(key);
    }
    this._change({ applied });
  }

  setColumns(columns: readonly ColumnId[]): void {
    this._change({ columns });
  }

  /** Show what an action came to. */
  say(said: string): void {
    this._change({ said });
    clearTimeout(this._saying);
    this._saying = setTimeout(() => this._change({ said: '' }), 6000);
  }

  /** The counts of a kernel whose rows nobody asked for. */
  applyCounts(message: ICounts): void {
    if (message.epoch !== this._state.epoch) {
      this.clear('live');
    }
    const { running, misses, compile_s } = message;
    this._change({
      link: 'live',
      epoch: message.epoch,
      busy: message.busy,
      counts: { running, misses, compile_s }
    });
  }

  private _counted(now: readonly INow[]): ICountsState {
    let misses = 0;
    let seconds = 0;
    for (const row of this._functions.values()) {
      misses += row.misses;
      seconds += row.compile_s ?? 0;
    }
    return { running: now.length, misses, compile_s: seconds };
  }

  /** Once: what was kept of an earlier page, if it was the same start of the extension. */
  private _restoredOf(
    epoch: string
  ): Partial<Pick<IPanelState, 'pinned' | 'expanded'>> {
    const restored = this._restored;
    this._restored = null;
    return restored?.epoch === epoch
      ? { pinned: restored.pinned, expanded: restored.expanded }
      : {};
  }

  private _newRows(): Pick<IPanelState, 'revision'> {
    return { revision: this._state.revision + 1 };
  }

  private _change(part: Partial<IPanelState>): void {
    this._state = { ...this._state, ...part };
    this._listeners.forEach(listener => listener());
  }

  private _state: IPanelState = EMPTY;
  private _functions = new Map<number, IFunctionRow>();
  private _entries = new Map<number, IEntryRow>();
  private _seq = 0;
  private _restored:
    ({ epoch: string } & Pick<IPanelState, 'pinned' | 'expanded'>) | null =
    null;
  private _saying: ReturnType<typeof setTimeout> | undefined;
  private _listeners = new Set<() => void>();
}

function put<Row extends { id: number }>(
  map: Map<number, Row>,
  rows: readonly Row[]
): void {
  rows.forEach(row => map.set(row.id, row));
}

function merged<Row extends { id: number }>(
  old: readonly Row[],
  rows: readonly Row[]
): readonly Row[] {
  if (rows.length === 0) {
    return old;
  }
  const fresh = new Set(rows.map(row => row.id));
  return [...old.filter(row => !fresh.has(row.id)), ...rows];
}

/** The same list where nothing has to go: who watches for other misses need not look. */
function newest(misses: readonly IMissRow[]): readonly IMissRow[] {
  return misses.length > MISSES_KEPT ? misses.slice(-MISSES_KEPT) : misses;
}

/** Those of the ids that stand for what they stood for: after a reset they are given anew. */
function same(
  ids: ReadonlySet<number>,
  before: ReadonlyMap<number, IFunctionRow>,
  now: ReadonlyMap<number, IFunctionRow>
): ReadonlySet<number> {
  const kept = [...ids].filter(
    id => before.get(id)?.name === now.get(id)?.name
  );
  return kept.length === ids.size ? ids : new Set(kept);
}

function timed(rows: readonly INowRow[]): INow[] {
  const moment = performance.now();
  return rows.map(row => ({ ...row, since: moment - row.elapsed_s * 1000 }));
}

/** The median, null where there is none. */
export function median(values: readonly number[]): number | null {
  if (values.length === 0) {
    return null;
  }
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2
    ? sorted[middle]
    : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** What this phase of this function took before, as the median over its entries; null while there is no history. */
export function usualTime(
  entries: Iterable<IEntryRow>,
  functionId: number,
  phase: string
): number | null {
  const times: number[] = [];
  for (const entry of entries) {
    if (entry.function === functionId && entry.outcome !== 'disk_hit') {
      const time =
        phase === 'trace'
          ? entry.trace_s
          : phase === 'lower'
            ? entry.lower_s
            : phase === 'compile'
              ? entry.compile_s
              : null;
      if (time !== null) {
        times.push(time);
      }
    }
  }
  return median(times);
}

/** Whether a miss says more than that a function was called for the first time. */
export function isRecompile(miss: IMissRow): boolean {
  return miss.causes.some(cause => cause.cause !== 'first_call');
}
