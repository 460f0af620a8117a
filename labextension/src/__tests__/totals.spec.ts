import { describe, expect, it } from 'vitest';

import { parseMessage } from '../messages';
import type { IMissRow, ISnapshot } from '../protocol';
import { BARS, recompileCurve, totals } from '../totals';
import { golden } from './golden';

const snapshot = parseMessage(golden('snapshot')) as ISnapshot;

describe('totals', () => {
  it('are those of all functions', () => {
    expect(totals(snapshot.functions)).toEqual({
      compiles: 2,
      cost_s: 0.102,
      rate: 0.6,
      failed: 0
    });
    expect(totals([]).rate).toBeNull();
  });
});

describe('recompileCurve', () => {
  const miss = (started_s: number | null, cost_s: number): IMissRow => ({
    ...snapshot.misses[1],
    started_s,
    cost_s
  });

  it('is made of the cost of recompiles in equal stretches of time', () => {
    const curve = recompileCurve([miss(0, 1), miss(12, 4), miss(24, 2)]);
    expect(curve.length).toBe(BARS);
    expect([curve[0], curve[12], curve[23]]).toEqual([0.25, 1, 0.5]);
  });

  it('is not thrown off by a clock that jumps, nor by unknown moments', () => {
    const curve = recompileCurve([miss(100, 1), miss(-1e9, 1), miss(null, 1)]);
    expect(curve.filter(height => height > 0)).toEqual([1]);
    expect(recompileCurve([miss(null, 1), miss(null, 1)])).toEqual([]);
  });

  it('is not there for first calls, or for one recompile', () => {
    expect(recompileCurve(snapshot.misses)).toEqual([]);
  });
});
