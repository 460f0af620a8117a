import { describe, expect, it } from 'vitest';

import { compareRows } from '../compare';
import type { ISnapshot } from '../protocol';
import { parseMessage } from '../messages';
import { golden } from './golden';

describe('compareRows', () => {
  const [before, now] = (parseMessage(golden('snapshot')) as ISnapshot).entries;

  it('says of two rows what the kernel no longer can', () => {
    expect(compareRows(now, before, ['n'])).toEqual({
      changed: [{ what: 'n', now: '8', before: '5', cause: '' }],
      same: []
    });
    expect(compareRows(now, now, ['n'])).toEqual({
      changed: [],
      same: [{ what: 'n', now: '8' }]
    });
  });
});
