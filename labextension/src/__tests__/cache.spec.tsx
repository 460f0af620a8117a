import { cleanup, render, screen } from '@testing-library/react';
import * as React from 'react';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { NO_FILTER } from '../filter';
import { PanelModel } from '../model';
import { parseMessage } from '../messages';
import type { ISnapshot } from '../protocol';
import type { IPanelActions, IPanelState } from '../tokens';
import { CacheTable } from '../views/cache';
import { Summary } from '../views/summary';
import { golden } from './golden';

// its icons alone are drawn here, and the widget has its own; the package as a whole wants a browser
vi.mock('@jupyterlab/ui-components', () => import('../widget/icons'));

beforeEach(() => {
  vi.stubGlobal(
    'ResizeObserver',
    class {
      observe(): void {}
      disconnect(): void {}
    }
  );
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

function shown(change: Partial<IPanelState>): string {
  const model = new PanelModel();
  model.applySnapshot(parseMessage(golden('snapshot')) as ISnapshot);
  const state = { ...model.state, entries: new Map(), ...change };
  render(
    <>
      <Summary state={state} />
      <CacheTable
        rest={false}
        state={state}
        filter={NO_FILTER}
        actions={{} as IPanelActions}
        selected={null}
        reveal={null}
        onSelect={() => {}}
      />
    </>
  );
  return screen.getByLabelText('Rows').textContent ?? '';
}

describe('a table without rows', () => {
  it('says that nothing is under jm.jit where others alone have compiled, and sums up nothing', () => {
    expect(shown({ functions: new Map() })).toBe('Nothing under jm.jit yet.');
    expect(screen.queryByLabelText('In all')).toBeNull();
  });

  it('blames the filter where there is one', () => {
    expect(shown({ functions: new Map(), filter: 'nowhere' })).toBe(
      'Nothing matches the filter.'
    );
  });
});
