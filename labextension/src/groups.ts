/** The misses, those for one reason together: by what they cost, or as a timeline, newest first. */
import { type IFilter, NO_FILTER, fitsMiss } from './filter';
import type { IMissRow } from './protocol';
import type { IPanelState, Order } from './tokens';

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

/** Stands above the first calls, which nobody can save. */
export interface IFirstCalls {
  readonly kind: 'first calls';
  readonly key: string;
  readonly count: number;
  readonly cost_s: number | null;
}

export type Moment = IMissGroup | IFirstCalls;

export function missGroups(
  state: Pick<IPanelState, 'misses' | 'functions'>,
  order: Order,
  filter: IFilter = NO_FILTER,
  range: IPanelState['range'] = null
): Moment[] {
  const shown =
    filter === NO_FILTER && range === null
      ? state.misses
      : state.misses.filter(
          miss =>
            (range === null || isWithin(miss, range)) &&
            fitsMiss(
              filter,
              miss,
              state.functions.get(miss.function)?.name ?? ''
            )
        );
  return order === 'time' ? byTime(shown) : byCost(shown);
}

function isWithin(
  miss: IMissRow,
  [from, to]: readonly [number, number]
): boolean {
  const { started_s: at } = miss;
  return at !== null && at >= from && at <= to;
}

/** A run of misses of one function for the same reason is one group. */
function byTime(misses: readonly IMissRow[]): IMissGroup[] {
  const groups: IMissRow[][] = [];
  let last: IMissRow[] | null = null;
  for (const miss of misses) {
    if (last !== null && reason(last[0]) === reason(miss)) {
      last.push(miss);
    } else {
      last = [miss];
      groups.push(last);
    }
  }
  return groups
    .map(grouped)
    .map((group, place) => ({ group, place }))
    .sort((a, b) => b.group.at - a.group.at || b.place - a.place)
    .map(({ group }) => group);
}

/** All misses of one function for the same reason are one group; first calls come last. */
function byCost(misses: readonly IMissRow[]): Moment[] {
  const groups = new Map<string, IMissRow[]>();
  for (const miss of misses) {
    const why = reason(miss);
    const known = groups.get(why);
    if (known) {
      known.push(miss);
    } else {
      groups.set(why, [miss]);
    }
  }
  const ranked = [...groups.values()]
    .map(grouped)
    .sort((a, b) => (b.cost_s ?? 0) - (a.cost_s ?? 0));
  const isFirst = ({ misses: [miss] }: IMissGroup): boolean =>
    isFirstCall(miss);
  const first = ranked.filter(isFirst);
  const again = ranked.filter(group => !isFirst(group));
  return first.length === 0
    ? again
    : [
        ...again,
        {
          kind: 'first calls',
          key: 'first',
          count: first.length,
          cost_s: summed(first)
        },
        ...first
      ];
}

function grouped(misses: readonly IMissRow[]): IMissGroup {
  return {
    kind: 'misses',
    // the oldest stays what it is while the group grows
    key: `m${misses[0].id}`,
    at: misses[misses.length - 1].started_s ?? 0,
    misses,
    cost_s: summed(misses),
    values: values(misses)
  };
}

function summed(rows: readonly { cost_s: number | null }[]): number | null {
  return rows.reduce<number | null>(
    (sum, { cost_s }) => (cost_s === null ? sum : (sum ?? 0) + cost_s),
    null
  );
}

function isFirstCall(miss: IMissRow): boolean {
  return miss.causes.every(cause => cause.cause === 'first_call');
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
