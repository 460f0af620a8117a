/** How the user has arranged the panel, kept with JupyterLab's workspace: after a reload it is as it was. */
import type { IStateDB } from '@jupyterlab/statedb';
import type { ReadonlyPartialJSONValue } from '@lumino/coreutils';
import { type IDisposable, DisposableDelegate } from '@lumino/disposable';
import { Debouncer } from '@lumino/polling';

import type { PanelModel } from './model';

const KEY = 'jupyter-jitmagic:view';
const AFTER_MS = 500;

/** Restore what was kept, then keep what changes; until what is returned is disposed. */
export async function keepView(
  model: PanelModel,
  states: IStateDB
): Promise<IDisposable> {
  model.restore(await states.fetch(KEY));
  let saved = JSON.stringify(model.kept);
  const saving = new Debouncer(async () => {
    const text = JSON.stringify(model.kept);
    if (text !== saved && model.state.epoch) {
      saved = text;
      await states.save(KEY, JSON.parse(text) as ReadonlyPartialJSONValue);
    }
  }, AFTER_MS);
  let { state } = model;
  const end = model.subscribe(() => {
    const before = state;
    state = model.state;
    const changed = (
      ['show', 'order', 'layout', 'pinned', 'expanded'] as const
    ).some(name => before[name] !== state[name]);
    // of a kernel that is gone there is nothing to keep: what was kept of it stays
    if (changed && state.epoch) {
      saving.invoke().catch(() => {
        // it is as it was at first after the next reload
      });
    }
  });
  return new DisposableDelegate(() => {
    end();
    saving.dispose();
  });
}
