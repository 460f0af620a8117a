/** Keeps the advice on misses up to date: when misses came the kernel is asked whether there is any, seldom. */
import type { IDisposable } from '@lumino/disposable';
import { DisposableDelegate } from '@lumino/disposable';

import { parseCures } from './answers';
import type { PanelModel } from './model';
import type { Ask } from './questions';
import { Seldom } from './seldom';

/** `seen`: whether anybody would see it. A kernel of an older version gives none. */
export function keepCures(
  model: PanelModel,
  ask: Ask,
  seen: () => boolean = () => true
): IDisposable {
  const cures = new Seldom(async () => {
    const { link, epoch, misses } = model.state;
    if (link === 'live' && misses.length > 0 && seen()) {
      const data = await ask('cures', {});
      if (epoch === model.state.epoch) {
        model.setCures(parseCures(data));
      }
    }
  });
  let { misses } = model.state;
  const end = model.subscribe(() => {
    if (misses !== model.state.misses) {
      misses = model.state.misses;
      cures.ask();
    }
  });
  return new DisposableDelegate(() => {
    end();
    cures.dispose();
  });
}
