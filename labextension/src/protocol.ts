/**
 * The kernel's messages, as types. The same page in Python is
 * `jupyter_jitmagic/live/protocol.py`, which also tells how a conversation goes. Golden files in `tests/golden` hold both to it.
 *
 * Durations are seconds, moments Unix time in seconds; null is "not known".
 */
export const VERSION = 1;
export const COMM = 'jitmagic';
export const QUERIES = 'jitmagic:queries';
export const SUBSHELLS_MARK = 'jitmagic:subshells';
export const SUBSHELL_PREFIX = 'jitmagic:subshell:';

/** A line of the user's: in the cell that ran as `In[cell]`, or, where `cell` is null, in a file. */
export interface IPlace {
  cell: number | null;
  file: string;
  line: number;
}

export interface IFunctionRow {
  id: number;
  name: string;
  module: string;
  place: IPlace;
  static_argnames: string[];
  donate_argnames: string[];
  alive: boolean;
  superseded: boolean;
  recording: boolean;
  calls: number;
  hits: number;
  misses: number;
  errors: number;
  inlined: number;
  created_s: number | null;
  trace_s: number | null;
  lower_s: number | null;
  compile_s: number | null;
  /** What tells its entries apart, as `n` or `x.shape[0]`; each entry has the values. */
  apart: string[];
}

export interface IEntryRow {
  id: number;
  function: number;
  avals: string;
  /** The arguments by name, large containers folded. */
  arguments: string;
  /** The values of what tells its function's entries apart. */
  apart: string[];
  static: Record<string, string>;
  transformation: string;
  outcome: string;
  hits: number;
  trace_s: number | null;
  lower_s: number | null;
  compile_s: number | null;
  execute_s: number | null;
  executable_bytes: number | null;
  temp_bytes: number | null;
  argument_bytes: number | null;
  output_bytes: number | null;
  created_s: number | null;
  last_used_s: number | null;
  superseded: boolean;
  alive: boolean;
}

export interface ICauseRow {
  cause: string;
  argument: string;
  before: string;
  now: string;
}

export interface IMissRow {
  id: number;
  call: number;
  function: number;
  entry: number;
  causes: ICauseRow[];
  cost_s: number | null;
  call_site: IPlace | null;
  started_s: number | null;
}

export interface IDiagnosisRow {
  id: number;
  function: string;
  started_s: number | null;
  kind: string;
  reason: string;
  static_argnames: string[];
  verified: boolean;
  diff: string;
  /** The first way out in a few words, as `jnp.where`; empty where none was found. */
  fix: string;
  /** The line that fails. */
  place: IPlace | null;
}

/** What would have saved compiles: advice on the misses of one function. */
export interface ICureRow {
  id: string;
  /** The row of the function, 0 where it is not known any more. */
  function: number;
  name: string;
  text: string;
  /** What the advice rests on. */
  proof: string;
  misses: number;
  cost_s: number | null;
  /** What to do, in a few words. */
  what: string;
  /** The part of `text` that is told where `ladders` tell the rest; empty where they do not. */
  why: string;
  /** Compiles that were, and that would have been enough. */
  before: number;
  after: number;
  saves_s: number | null;
  /** Unix time of the latest of these misses. */
  last_s: number | null;
  /** Padding: how many compiles are left with ever finer steps, and the share of padding. */
  ladders: { steps: number; compiles: number; share: number }[];
  /** Code that the change needs, where it is the same for everyone. */
  helper: string;
  /** The line that most of the calls came from. */
  place: IPlace | null;
  /** The cell before and after, where one change in it is the fix. */
  fix: IChange | null;
}

/** A function on its own source: for each line its number, figures as they are shown, code, and heat from 0 to 1. */
export interface ILinesPart {
  name: string;
  beside: string;
  place: IPlace | null;
  columns: string[];
  rows: string[][];
  lines: (number | null)[];
  code: string[];
  heat: number[];
}

/** An entry's function and the functions it calls, line by line. */
export interface ILines {
  parts: ILinesPart[];
  notes: string[];
  /** The Python loop that tracing unrolled into most of the program. */
  loop: { line: number; rounds: number } | null;
}

/** That loop as one of lax, tried and measured; `good`: it neither compiles nor executes slower. */
export interface IRolled {
  title: string;
  good: boolean;
  diff: string;
  said: string[];
  /** Its function's cell before and after, null where it is in none. */
  fix: IChange | null;
}

/** A cell before and after a change. */
export interface IChange {
  /** The number under which the cell ran, null where it is not known. */
  cell: number | null;
  /** JupyterLab's own id of the cell, empty where the kernel does not know it. */
  cellId: string;
  before: string;
  after: string;
  diff: string;
}

/** One way out of a failed trace, as the kernel worked it out; `before` and `after` are the whole cell, null if it has no place in one. */
export interface IFix {
  number: number;
  way: string;
  proof: string;
  diff: string;
  cell: number | null;
  cellId: string;
  before: string | null;
  after: string | null;
  /** What of it belongs in other cells or files. */
  elsewhere: string[];
}

/** An entry's program as text, of which `text` may be the beginning, or its figures by name. */
export interface IDetail {
  text: string;
  /** Of the whole text. */
  length: number;
  values: Record<string, number>;
}

/** An entry's program as text, and the line of the user's behind each of its lines. */
export interface IProgram {
  text: string;
  /** Of the whole text, of which `text` may be the beginning. */
  length: number;
  places: IPlace[];
  /** For each line of the text its place, -1 where none is known. */
  at: number[];
}

/** An entry's last calls, oldest first; null where nothing was measured. */
export interface ICalls {
  count: number;
  outcome: string[];
  dispatch_s: (number | null)[];
  execute_s: (number | null)[];
}

/** What each function did when, added up in equal stretches of time. */
export interface ITimeline {
  from_s: number;
  to_s: number;
  /** How far one can go. */
  whole: readonly [number, number];
  stretches: number;
  lanes: {
    /** 0: all that have no lane of their own. */
    function: number;
    name: string;
    /** The stretches in which something was. */
    at: number[];
    /** By phase, seconds in each of them. */
    phases: Record<string, number[]>;
    hits: number[];
    misses: number[];
  }[];
  /** Number, begin and end of the cells that ran meanwhile; the end is null while one does. */
  cells: (readonly [number, number, number | null])[];
}

/** Two entries side by side; values as texts, `cause` as in a miss, or empty. */
export interface IComparison {
  changed: { what: string; now: string; before: string; cause: string }[];
  same: { what: string; now: string }[];
}

/** What one function that is not under `jm.jit` has compiled from one line; `module` is "jax" for JAX's own operations. */
export interface IOtherRow {
  id: number;
  function: string;
  module: string;
  place: IPlace | null;
  compiles: number;
  cost_s: number | null;
  /** Of the latest compile. */
  causes: ICauseRow[];
}

export interface IDonePhase {
  phase: string;
  duration_s: number | null;
}

export interface INowRow {
  function: number;
  name: string;
  phase: string;
  elapsed_s: number;
  done: IDonePhase[];
  thread: number;
}

export interface IRows {
  functions: IFunctionRow[];
  entries: IEntryRow[];
  misses: IMissRow[];
  diagnoses: IDiagnosisRow[];
  others: IOtherRow[];
  now: INowRow[];
}

export interface ISnapshot extends IRows {
  t: 'snapshot';
  epoch: string;
  seq: number;
  busy: boolean;
  package: string;
  /** The user's folder where the kernel runs; empty where it is not told. */
  home: string;
  /** Since when nothing is recorded, because the user wants it so; null while calls are recorded. */
  paused_s: number | null;
  /** The request that this answers; empty where it answers none. */
  id: string;
}

export interface IUpdate extends IRows {
  t: 'update';
  epoch: string;
  seq: number;
  busy: boolean;
  gone_functions: number[];
  gone_entries: number[];
  ping: boolean;
}

/** All that a status bar shows. */
export interface ICounts {
  t: 'counts';
  epoch: string;
  busy: boolean;
  running: number;
  misses: number;
  compile_s: number | null;
  ping: boolean;
}

export interface IAnnouncement {
  t: 'loaded' | 'unloaded';
  epoch: string;
}

export interface IReply {
  t: 'reply';
  id: string;
  ok: boolean;
  error: string;
  data: Record<string, unknown>;
}

export type Message = ISnapshot | IUpdate | ICounts | IAnnouncement | IReply;

export interface IRequest {
  v: number;
  op: string;
  id: string;
  /** The sender; what is meant for it alone comes on a comm of this id. */
  panel: string;
  args: { [key: string]: string | number | boolean | null };
}
