/**
 * What the parts of the panel know of each other: every part imports this page, none imports a sibling's inside.
 */
import type {
  ICalls,
  IComparison,
  ICureRow,
  IDetail,
  IDiagnosisRow,
  IEntryRow,
  IFix,
  IFunctionRow,
  ILines,
  IMissRow,
  INowRow,
  IOtherRow,
  IPlace,
  IRolled,
  ITimeline
} from './protocol';
import type { Range } from './timeline';

/** The columns of the table; `name` is always there. */
export type ColumnId =
  | 'name'
  | 'entries'
  | 'hits'
  | 'misses'
  | 'rate'
  | 'cost'
  | 'compile'
  | 'share'
  | 'execute'
  | 'memory'
  | 'used';

export const PLUGIN_ID = 'jupyter-jitmagic:panel';
export const PANEL_ID = 'jitmagic-panel';
export const LOAD_LINE = '%load_ext jupyter_jitmagic';

export const CommandIDs = {
  open: 'jitmagic:open',
  openDashboard: 'jitmagic:open-dashboard',
  openProgram: 'jitmagic:open-program',
  comparePrograms: 'jitmagic:compare-programs',
  followLink: 'jitmagic:follow-link',
  showLine: 'jitmagic:show-line',
  copyMarkdown: 'jitmagic:copy-markdown',
  saveCsv: 'jitmagic:save-csv',
  pin: 'jitmagic:pin',
  goToDefinition: 'jitmagic:go-to-definition',
  clearFunction: 'jitmagic:clear-function',
  clearAll: 'jitmagic:clear-all',
  expandAll: 'jitmagic:expand-all',
  collapseAll: 'jitmagic:collapse-all',
  pauseRecording: 'jitmagic:pause-recording',
  refresh: 'jitmagic:refresh',
  toggleColumn: 'jitmagic:toggle-column'
} as const;

/** The document that the panel speaks of. */
export interface ISource {
  readonly kind: 'notebook' | 'console';
  readonly name: string;
  readonly path: string;
}

/**
 * How things stand between panel and kernel.
 *
 * - `none`: no notebook or console, or it has no kernel
 * - `foreign`: the kernel does not speak Python
 * - `connecting`: asked, no answer yet
 * - `waiting`: the kernel can answer only when the running cell ends
 * - `unloaded`: the extension is not loaded in the kernel
 * - `live`: the rows are what the kernel said last
 * - `restarting`, `lost`, `dead`: the rows, if any, are old
 * - `newer`: the kernel's package speaks a newer protocol
 */
export type LinkState =
  | 'none'
  | 'foreign'
  | 'connecting'
  | 'waiting'
  | 'unloaded'
  | 'live'
  | 'restarting'
  | 'lost'
  | 'dead'
  | 'newer';

/** Something being traced, lowered or compiled; `since` is on this machine's clock (`performance.now`, milliseconds). */
export interface INow extends INowRow {
  readonly since: number;
}

/** What the user chose to see. */
export type IViewState = Pick<
  IPanelState,
  'filter' | 'show' | 'order' | 'range' | 'layout'
>;

/** Plain values, so that they can be kept. */
export type Layout = Readonly<Record<string, boolean | number | string | null>>;

/** Which functions are shown. */
export type Show = 'all' | 'recompiled' | 'dead';

/** How misses are ordered: what costs most first, or the newest. */
export type Order = 'cost' | 'time';

/** What came of putting a change into its cell: `there` already, or the cell has `changed` since. */
export type Applied = 'done' | 'there' | 'changed';

/** What is shown, as one value that is replaced when anything changes. The maps are shared and change with `revision`. */
export interface IPanelState {
  readonly source: ISource | null;
  readonly link: LinkState;
  /** When the kernel spoke last, on `performance.now`'s clock; 0 if it never did. */
  readonly heard: number;
  readonly epoch: string;
  /** The user's folder where the kernel runs. */
  readonly home: string;
  readonly busy: boolean;
  /** Grows whenever `functions` or `entries` changed. */
  readonly revision: number;
  readonly functions: ReadonlyMap<number, IFunctionRow>;
  readonly entries: ReadonlyMap<number, IEntryRow>;
  readonly misses: readonly IMissRow[];
  readonly diagnoses: readonly IDiagnosisRow[];
  /** What compiled outside `jm.jit`. */
  readonly others: readonly IOtherRow[];
  /** Advice on misses, what costs most first. */
  readonly cures: readonly ICureRow[];
  readonly now: readonly INow[];
  readonly counts: ICountsState;
  /** Since when (Unix time, seconds) the user wants nothing recorded; null while calls are recorded. */
  readonly paused: number | null;
  /** What was typed into the filter. */
  readonly filter: string;
  readonly show: Show;
  readonly order: Order;
  /** The part of the timeline that is looked at closely, Unix time in seconds; null for all of it. */
  readonly range: Range | null;
  /** How the views are arranged: what is open, how high, by view and name. */
  readonly layout: Layout;
  /** Advice, by its key, that was put into a cell and is there. */
  readonly applied: ReadonlySet<string>;
  /** What the lower part of the panel shows closely. */
  readonly selected: Selection | null;
  /** Whose heat is drawn in the notebook's own editor. */
  readonly heat: IHeat | null;
  /** Functions whose entries are shown. */
  readonly expanded: ReadonlySet<number>;
  /** Functions that stay on top of the table. */
  readonly pinned: ReadonlySet<number>;
  /** The columns that the user wants, the most wanted first. */
  readonly columns: readonly ColumnId[];
  /** What the last action came to, for a while. */
  readonly said: string;
}

/** What the lower part of the panel shows closely. */
export type Selection =
  | { readonly kind: 'entry' | 'advice' | 'miss'; readonly id: number }
  | { readonly kind: 'cure'; readonly id: string };

/** An entry's function line by line, as it is drawn beside the lines of its cell. */
export interface IHeat {
  readonly entry: number;
  readonly lines: ILines;
}

/** What the status bar shows: functions being compiled at this moment, misses so far, and what they compiled for. */
export interface ICountsState {
  readonly running: number;
  readonly misses: number;
  readonly compile_s: number | null;
}

/** What the views may read. */
export interface IPanelStore {
  readonly state: IPanelState;
  subscribe(listener: () => void): () => void;
}

export type ProgramKind = 'jaxpr' | 'stablehlo' | 'hlo';

/** What is shown in a tab of its own: an entry's program, or how it differs from another entry's. */
export interface IProgramChoice {
  readonly entry: number;
  /** The entry it is compared with. */
  readonly other: number | null;
  readonly what: ProgramKind;
}

export type DetailKind = 'jaxpr' | 'stablehlo' | 'hlo' | 'memory' | 'cost';

/** What the views may ask for. What is missing cannot be done where the panel is shown. */
export interface IPanelActions {
  /** Insert a cell that loads the extension and run it, as the user would. */
  load?(): Promise<void>;
  /** Interrupt the kernel. */
  interrupt?(): Promise<void>;
  /** Show a line of the user's; says so where it is not there any more. */
  goTo?(place: IPlace): Promise<void>;
  /** An entry's program as text, or its figures by name. */
  detail(entry: number, what: DetailKind): Promise<IDetail>;
  /** An entry's function on its own source, line by line. */
  lines(entry: number): Promise<ILines>;
  /** The loop that tracing unrolled as one of lax, tried and measured between cells; missing where there is nobody to do it. */
  roll?(entry: number): Promise<IRolled>;
  /** An entry's last calls. */
  calls(entry: number): Promise<ICalls>;
  /** In what an entry differs from another of its function. */
  compare(entry: number, other: number): Promise<IComparison>;
  /** What each function did when, in so many stretches of time; null: from the first call, to the last. */
  timeline(
    from: number | null,
    to: number | null,
    stretches: number
  ): Promise<ITimeline>;
  /** The ways out of a failed trace. */
  fixes(diagnosis: number): Promise<readonly IFix[]>;
  /** Put a change into the cell it was made for, and run that where `run` is wanted; `key` names the advice that it is of. */
  apply?(
    key: string,
    fix: Pick<IFix, 'cell' | 'cellId' | 'before' | 'after'>,
    run: boolean
  ): Promise<Applied>;
  /** Record calls again, after a pause. */
  resume(): Promise<void>;
  /** Give the focus back to the document. */
  leave(): void;
  /** Show an entry or an advice closely. */
  select(selection: Selection | null): void;
  /** What is shown, and in which order. */
  view(part: Partial<IViewState>): void;
  /** Copy a text. */
  copy(text: string): Promise<void>;
  /** Show or hide the entries of functions. */
  expand(functions: Iterable<number>, open: boolean): void;
  /** Draw heat beside the lines of cells, or (null) no longer; missing where there are no cells. */
  showHeat?(heat: IHeat | null): void;
  /** Show a program in a tab of its own, where there is room for one; missing where there is none. */
  openProgram?(choice: IProgramChoice): void;
  /** Open the context menu of an element at a place of the window; missing where the host has none. */
  openMenu?(element: Element, x: number, y: number): void;
}
