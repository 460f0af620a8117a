import {
  act,
  cleanup,
  fireEvent,
  render,
  screen
} from '@testing-library/react';
import * as React from 'react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { PanelModel } from '../model';
import { parseMessage } from '../messages';
import type { ISnapshot } from '../protocol';
import type { INow, IPanelActions, IPanelState } from '../tokens';
import { NowBar } from '../views/now';
import { golden } from './golden';

// its icons alone are drawn here; the package as a whole wants a browser
vi.mock('@jupyterlab/ui-components', () => ({
  checkIcon: {
    react: ({ 'aria-label': label }: { 'aria-label': string }) => (
      <span aria-label={label} />
    )
  }
}));

const interrupt = vi.fn(() => Promise.resolve());
const actions = { interrupt } as unknown as IPanelActions;

/** The panel's state while something of function 1 is compiled that began so many milliseconds ago. */
function compiling(begun: number | null, done = false): IPanelState {
  const model = new PanelModel();
  model.applySnapshot(parseMessage(golden('snapshot')) as ISnapshot);
  const work: INow = {
    function: 1,
    name: 'padded',
    phase: done ? '' : 'compile',
    elapsed_s: 0,
    done: done ? [{ phase: 'compile', duration_s: 0.5 }] : [],
    thread: 7,
    since: performance.now() - (begun ?? 0) + (done ? 500 : 0)
  };
  return { ...model.state, now: begun === null ? [] : [work] };
}

const stop = (): HTMLElement | null =>
  screen.queryByRole('button', { name: 'Stop' });

describe('after Stop', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'setInterval'] });
    vi.advanceTimersByTime(10_000);
  });
  afterEach(() => {
    cleanup();
    vi.useRealTimers();
    interrupt.mockClear();
  });

  function stopped(): (state: IPanelState) => void {
    const { rerender } = render(
      <NowBar state={compiling(1000)} actions={actions} />
    );
    fireEvent.click(stop()!);
    expect(interrupt).toHaveBeenCalledTimes(1);
    expect(screen.getByRole('status').textContent).toContain(
      'it takes effect when XLA returns'
    );
    expect(stop()).toBeNull();
    return state => rerender(<NowBar state={state} actions={actions} />);
  }

  it('a phase that ended after it is not called done', () => {
    const show = stopped();
    vi.advanceTimersByTime(100);
    show(compiling(1100, true));
    expect(screen.queryByLabelText('done')).toBeNull();
    expect(screen.getByText(/compile/).textContent).toContain('500 ms');
  });

  it('the same function compiled again can be stopped again, and nothing is said to be asked for', () => {
    const show = stopped();
    vi.advanceTimersByTime(1000);
    show(compiling(300));
    expect(stop()).not.toBeNull();
    expect(screen.getByRole('status').textContent).toBe(
      'padded was interrupted.'
    );
    fireEvent.click(stop()!);
    expect(interrupt).toHaveBeenCalledTimes(2);
  });

  it('what came of it is told for a while', () => {
    const show = stopped();
    show(compiling(null));
    expect(screen.getByRole('status').textContent).toBe(
      'padded was interrupted.'
    );
    act(() => {
      vi.advanceTimersByTime(8100);
    });
    expect(screen.queryByRole('status')).toBeNull();
  });
});
