/** The misses as a timeline: newest first, and a run of misses of one function for the same reason as one item. */
import type { ICureRow, IDiagnosisRow, IMissRow } from './protocol';
import type { IPanelState } from './tokens';

export interface IMissGroup {
  readonly kind: 'misses';
  readonly key: string;
  readonly at: number;
  /** Oldest first; the last one is the newest. */
  readonly misses: readonly IMissRow[];
  readonly cost_s: number | null;
  /** The values that one argument went through, oldest first, where the misses tell one story; else empty. */
  readonly values: readonly string[];
}

export interface IAdvice {
  readonly kind: 'advice';
  readonly key: string;
  readonly at: number;
  readonly row: IDiagnosisRow;
}

export interface ICure {
  readonly kind: 'cure';
  readonly key: string;
  readonly at: number;
  readonly row: ICureRow;
}

export type Moment = IMissGroup | IAdvice | ICure;

export function timeline(
  state: Pick<IPanelState, 'misses' | 'diagnoses' | 'cures'>
): Moment[] {
  const groups: IMissRow[][] = [];
  let last: IMissRow[] | null = null;
  for (const miss of state.misses) {
    if (last !== null && reason(last[0]) === reason(miss)) {
      last.push(miss);
    } else {
      last = [miss];
      groups.push(last);
    }
  }
  const moments: Moment[] = groups.map(misses => ({
    kind: 'misses',
    // the oldest stays what it is while the group grows
    key: `m${misses[0].id}`,
    at: misses[misses.length - 1].started_s ?? 0,
    misses,
    cost_s: misses.reduce<number | null>(
      (sum, miss) => (miss.cost_s === null ? sum : (sum ?? 0) + miss.cost_s),
      null
    ),
    values: values(misses)
  }));
  for (const row of state.diagnoses) {
    moments.push({
      kind: 'advice',
      key: `d${row.id}`,
      at: row.started_s ?? 0,
      row
    });
  }
  // advice on misses stands above the newest of them
  const latest = new Map<number, number>();
  for (const miss of state.misses) {
    latest.set(miss.function, miss.started_s ?? 0);
  }
  for (const row of state.cures) {
    const at = latest.get(row.function);
    if (at !== undefined) {
      moments.push({ kind: 'cure', key: `c${row.id}`, at, row });
    }
  }
  return moments
    .map((moment, place) => ({ moment, place }))
    .sort((a, b) => b.moment.at - a.moment.at || b.place - a.place)
    .map(({ moment }) => moment);
}

function reason(miss: IMissRow): string {
  const causes = miss.causes.map(cause => [cause.cause, cause.argument]);
  // a first call tells of itself alone
  const alone = miss.causes.some(cause => cause.cause === 'first_call');
  return JSON.stringify([miss.function, alone ? miss.id : 0, causes]);
}

function values(misses: readonly IMissRow[]): string[] {
  const path: string[] = [];
  for (const { causes } of misses) {
    if (causes.length !== 1 || !causes[0].now) {
      return [];
    }
    const [{ before, now }] = causes;
    if (path[path.length - 1] !== before && before) {
      path.push(before);
    }
    path.push(now);
  }
  return path;
}
