import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { keepCures } from '../curing';
import { parseMessage } from '../messages';
import { PanelModel } from '../model';
import type { ISnapshot, IUpdate } from '../protocol';
import { golden } from './golden';

describe('keepCures', () => {
  let model: PanelModel;
  let end: { dispose(): void };

  beforeEach(() => {
    vi.useFakeTimers();
    model = new PanelModel();
  });

  afterEach(() => {
    end.dispose();
    vi.useRealTimers();
  });

  const see = (): void => {
    model.applySnapshot(parseMessage(golden('snapshot')) as ISnapshot);
  };
  const miss = (): void => {
    model.applyUpdate(parseMessage(golden('update')) as IUpdate);
  };

  it('asks when misses came, and leaves no timer when the answer is there', async () => {
    const ask = vi.fn(() => Promise.resolve({ cures: [] }));
    end = keepCures(model, ask);
    see();
    await vi.advanceTimersByTimeAsync(5000);
    expect(ask).toHaveBeenCalledTimes(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('asks again with the next miss where no answer came', async () => {
    const ask = vi.fn(() => new Promise<never>(() => {}));
    end = keepCures(model, ask);
    see();
    await vi.advanceTimersByTimeAsync(5000);
    miss();
    await vi.advanceTimersByTimeAsync(5000);
    expect(ask).toHaveBeenCalledTimes(1); // the first is still awaited
    await vi.advanceTimersByTimeAsync(30_000);
    expect(ask).toHaveBeenCalledTimes(2);
  });
});
