import * as React from 'react';

import { shortened } from '../format';
import type { IEntryRow } from '../protocol';
import { entryLabel } from '../table';
import { useTrans } from './context';

/** So much of an entry's label a choice shows. */
const LABEL = 80;

/** Entries of one function to choose from; `names`: what they are told apart by. */
export function EntryOptions({
  entries,
  names
}: {
  entries: readonly IEntryRow[];
  names: readonly string[];
}): React.JSX.Element {
  const trans = useTrans();
  return (
    <>
      {entries.map(row => (
        <option key={row.id} value={row.id}>
          {trans.__(
            'entry %1: %2',
            row.id,
            shortened(entryLabel(row, names), LABEL)
          )}
        </option>
      ))}
    </>
  );
}
