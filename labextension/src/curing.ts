/** Keeps the advice on misses up to date: when misses came the kernel is asked whether there is any, at most once a second. */
import { type IDisposable, DisposableDelegate } from '@lumino/disposable';
import { Throttler } from '@lumino/polling';

import { parseCures } from './answers';
import type { PanelModel } from './model';
import type { Ask } from './questions';

const PAUSE_MS = 1000;
/** A kernel that has not answered by then is asked again with the next miss. */
const ANSWER_MS = 30_000;

/** `seen`: whether anybody would see it. What the kernel cannot answer (one of an older version) is asked again with the next miss. */
export function keepCures(
  model: PanelModel,
  ask: Ask,
  seen: () => boolean = () => true
): IDisposable {
  let asked: unknown = model.state.misses;
  const asking = new Throttler(
    async () => {
      const { link, epoch, misses } = model.state;
      asked = misses;
      if (link === 'live' && misses.length > 0 && seen()) {
        const data = await inTime(ask('cures', {}));
        if (epoch === model.state.epoch) {
          model.setCures(parseCures(data));
        }
      }
    },
    { limit: PAUSE_MS, edge: 'trailing' }
  );
  let waits = false;
  const follow = (): void => {
    if (!waits && asked !== model.state.misses && !asking.isDisposed) {
      waits = true;
      const done = (): void => {
        waits = false;
        follow(); // what came while the answer was on its way
      };
      asking.invoke().then(done, done);
    }
  };
  const end = model.subscribe(follow);
  return new DisposableDelegate(() => {
    end();
    asking.dispose();
  });
}

/** What was asked for; an error where it does not come. */
function inTime<T>(asked: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('no answer')), ANSWER_MS);
    asked.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
