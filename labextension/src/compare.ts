/** Two entries side by side: what the kernel says of it, or, where it does not know them any more, what their rows say. */
import type { IComparison, IEntryRow } from './protocol';
import { entryParts } from './table';

/** What of the two rows is not the same, by the names that tell the function's entries apart. */
export function compareRows(
  now: IEntryRow,
  before: IEntryRow,
  names: readonly string[]
): IComparison {
  const earlier = new Map(entryParts(before, names));
  const parts = entryParts(now, names);
  return {
    changed: parts
      .filter(([name, value]) => earlier.get(name) !== value)
      .map(([what, value]) => ({
        what,
        now: value,
        before: earlier.get(what) ?? '',
        cause: ''
      })),
    same: parts
      .filter(([name, value]) => earlier.get(name) === value)
      .map(([what, value]) => ({ what, now: value }))
  };
}
