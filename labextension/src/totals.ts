/** What all functions come to, for the line at the top: compiles, what they cost, hit rate, failures; and when it was compiled again. */
import { isRecompile } from './model';
import type { IFunctionRow, IMissRow } from './protocol';
import type { IPanelState } from './tokens';

export interface ITotals {
  /** Misses of all functions. */
  readonly compiles: number;
  /** Tracing, lowering and compiling, seconds. */
  readonly cost_s: number;
  /** Hits among hits and misses, 0 to 1; null before the first call. */
  readonly rate: number | null;
  /** Calls that raised. */
  readonly failed: number;
}

/** What a function's misses have cost: tracing, lowering and compiling; null where nothing is known. */
export function costOf(row: IFunctionRow): number | null {
  const known = [row.trace_s, row.lower_s, row.compile_s].filter(
    (time): time is number => time !== null
  );
  const sum = known.reduce((total, time) => total + time, 0);
  return known.length && sum > 0 ? sum : null;
}

export function totals(functions: Iterable<IFunctionRow>): ITotals {
  let [compiles, cost_s, hits, failed] = [0, 0, 0, 0];
  for (const row of functions) {
    compiles += row.misses;
    cost_s += costOf(row) ?? 0;
    hits += row.hits;
    failed += row.errors;
  }
  const calls = hits + compiles;
  return { compiles, cost_s, rate: calls > 0 ? hits / calls : null, failed };
}

/** So many bars the curve has. */
export const BARS = 24;

/**
 * The cost of recompiles over time, as heights from 0 to 1 for equal stretches from the first to the last miss; empty where there are
 * fewer than two recompiles. A clock that jumps backwards moves nothing: a miss is never earlier than the one before it.
 */
export function recompileCurve(misses: IPanelState['misses']): number[] {
  const moments: [number, IMissRow][] = [];
  let last = -Infinity;
  for (const miss of misses) {
    last = Math.max(last, miss.started_s ?? last);
    if (Number.isFinite(last)) {
      moments.push([last, miss]);
    }
  }
  const again = moments.filter(([, miss]) => isRecompile(miss));
  if (again.length < 2) {
    return [];
  }
  const [first] = moments[0];
  const span = last - first || 1;
  const bars = new Array<number>(BARS).fill(0);
  for (const [moment, miss] of again) {
    const place = Math.floor(((moment - first) / span) * BARS);
    bars[Math.min(BARS - 1, place)] += miss.cost_s ?? 0;
  }
  const most = Math.max(...bars);
  return most > 0 ? bars.map(bar => bar / most) : [];
}
