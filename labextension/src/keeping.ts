/** How the user has arranged the panel, kept with JupyterLab's workspace: after a reload it is as it was. */
import type { IStateDB } from '@jupyterlab/statedb';
import type { ReadonlyPartialJSONValue } from '@lumino/coreutils';

import type { PanelModel } from './model';

const KEY = 'jupyter-jitmagic:view';
const AFTER_MS = 500;

export async function keepView(
  model: PanelModel,
  states: IStateDB
): Promise<void> {
  model.restore(await states.fetch(KEY));
  let saved = JSON.stringify(model.kept);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let { state } = model;
  model.subscribe(() => {
    const before = state;
    state = model.state;
    const changed = (
      ['show', 'order', 'layout', 'pinned', 'expanded'] as const
    ).some(name => before[name] !== state[name]);
    // of a kernel that is gone there is nothing to keep: what was kept of it stays
    if (changed && state.epoch) {
      clearTimeout(timer);
      timer = setTimeout(() => {
        const text = JSON.stringify(model.kept);
        if (text !== saved && model.state.epoch) {
          saved = text;
          states
            .save(KEY, JSON.parse(text) as ReadonlyPartialJSONValue)
            .catch(() => {
              // it is as it was at first after the next reload
            });
        }
      }, AFTER_MS);
    }
  });
}
