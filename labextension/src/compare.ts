/** Two entries side by side: which argument or static value tells them apart. */
import type { IEntryRow } from './protocol';

export interface IDifference {
  readonly what: string;
  readonly now: string;
  readonly before: string;
  readonly differs: boolean;
}

/** The avals of the arguments, split at the commas that stand in no bracket. */
export function splitAvals(avals: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let quote = '';
  let start = 0;
  for (let at = 0; at < avals.length; at++) {
    const sign = avals[at];
    if (quote) {
      if (sign === '\\') {
        at += 1;
      } else if (sign === quote) {
        quote = '';
      }
    } else if (sign === '"' || sign === "'") {
      quote = sign;
    } else if ('[({'.includes(sign)) {
      depth += 1;
    } else if (')]}'.includes(sign)) {
      depth -= 1;
    } else if (sign === ',' && depth === 0) {
      parts.push(avals.slice(start, at).trim());
      start = at + 1;
    }
  }
  const last = avals.slice(start).trim();
  return last ? [...parts, last] : parts;
}

/** Every argument and static value of both, `now` of the one and `before` of the other. */
export function compare(now: IEntryRow, before: IEntryRow): IDifference[] {
  const left = splitAvals(now.avals);
  const right = splitAvals(before.avals);
  const found: IDifference[] = [];
  const add = (what: string, a = '–', b = '–'): void => {
    found.push({ what, now: a, before: b, differs: a !== b });
  };
  for (let place = 0; place < Math.max(left.length, right.length); place++) {
    add(`#${place + 1}`, left[place], right[place]);
  }
  const names = new Set([
    ...Object.keys(now.static),
    ...Object.keys(before.static)
  ]);
  names.forEach(name => add(name, now.static[name], before.static[name]));
  if (now.transformation || before.transformation) {
    add('under', now.transformation || '–', before.transformation || '–');
  }
  return found;
}
