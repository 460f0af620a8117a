/** One filter for functions, entries, misses and advice: `fn:train_step cause:shape cost:>1s` and plain words, all of which have to fit. */
import type { IMissRow } from './protocol';

export interface IFilter {
  /** In small letters, as all that is compared with them. */
  readonly words: readonly string[];
  readonly functions: readonly string[];
  readonly causes: readonly string[];
  readonly costs: readonly ((seconds: number) => boolean)[];
  /** What looks like a term and is none, as it was typed. */
  readonly unknown: readonly string[];
}

export const NO_FILTER: IFilter = {
  words: [],
  functions: [],
  causes: [],
  costs: [],
  unknown: []
};

const UNITS: Record<string, number> = {
  us: 1e-6,
  µs: 1e-6,
  ms: 1e-3,
  s: 1,
  '': 1,
  min: 60,
  m: 60,
  h: 3600
};
const COST = /^(<=|>=|<|>)?(\d+(?:\.\d*)?|\.\d+)(us|µs|ms|s|min|m|h|)$/;

/** What was typed, as a filter. What it does not know stays a word, and is named in `unknown`. */
export function parseFilter(text: string): IFilter {
  const words: string[] = [];
  const functions: string[] = [];
  const causes: string[] = [];
  const costs: ((seconds: number) => boolean)[] = [];
  const unknown: string[] = [];
  for (const term of text.toLowerCase().split(/\s+/).filter(Boolean)) {
    const [, key, value] = /^(fn|function|cause|cost):(.*)$/.exec(term) ?? [];
    if (key === undefined) {
      words.push(term);
    } else if (!value) {
      continue; // it is being typed
    } else if (key === 'cause') {
      causes.push(value.replace(/_/g, ' '));
    } else if (key !== 'cost') {
      functions.push(value);
    } else {
      const compare = costTest(value);
      if (compare) {
        costs.push(compare);
      } else if (!/^[<>]=?$/.test(value)) {
        unknown.push(term);
      }
    }
  }
  return { words, functions, causes, costs, unknown };
}

function costTest(value: string): ((seconds: number) => boolean) | null {
  const [, sign = '>=', digits, unit] = COST.exec(value) ?? [];
  if (digits === undefined) {
    return null;
  }
  const limit = Number(digits) * UNITS[unit];
  switch (sign) {
    case '<':
      return seconds => seconds < limit;
    case '<=':
      return seconds => seconds <= limit;
    case '>':
      return seconds => seconds > limit;
    default:
      return seconds => seconds >= limit;
  }
}

/** Whether all that a filter says of functions, causes and costs is true of something; its words are for the caller to compare. */
export function fits(
  filter: IFilter,
  name: string,
  cost: number | null,
  causes: () => Iterable<string>
): boolean {
  const lower = name.toLowerCase();
  if (!filter.functions.every(each => lower.includes(each))) {
    return false;
  }
  if (!filter.costs.every(test => test(cost ?? 0))) {
    return false;
  }
  if (filter.causes.length === 0) {
    return true;
  }
  const known = [...causes()].map(cause => cause.replace(/_/g, ' '));
  return filter.causes.every(each => known.some(cause => cause.includes(each)));
}

/** Whether every word is in one of the texts. */
export function hasWords(filter: IFilter, ...texts: string[]): boolean {
  return (
    filter.words.length === 0 ||
    filter.words.every(word =>
      texts.some(text => text.toLowerCase().includes(word))
    )
  );
}

/** Whether a miss passes. */
export function fitsMiss(
  filter: IFilter,
  miss: IMissRow,
  name: string
): boolean {
  return (
    fits(filter, name, miss.cost_s, () =>
      miss.causes.map(({ cause }) => cause)
    ) &&
    hasWords(
      filter,
      name,
      ...miss.causes.flatMap(({ cause, argument, before, now }) => [
        cause.replace(/_/g, ' '),
        argument,
        before,
        now
      ])
    )
  );
}
