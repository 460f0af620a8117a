/** The item in the status bar: how many compiles so far, and whether one is going on; a click opens the panel. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';

import { duration } from './format';
import { jitIcon } from './icon';
import type { IPanelStore } from './tokens';

export class StatusItem extends ReactWidget {
  constructor(
    private readonly _store: IPanelStore,
    private readonly _trans: TranslationBundle,
    private readonly _open: () => void
  ) {
    super();
    this.addClass('jp-JitMagicStatus');
  }

  protected render(): React.JSX.Element {
    return (
      <Status store={this._store} trans={this._trans} onOpen={this._open} />
    );
  }
}

function Status({
  store,
  trans,
  onOpen
}: {
  store: IPanelStore;
  trans: TranslationBundle;
  onOpen: () => void;
}): React.JSX.Element | null {
  const { link, counts } = React.useSyncExternalStore(
    store.subscribe,
    () => store.state
  );
  if (link !== 'live') {
    return null;
  }
  const { running, misses, compile_s } = counts;
  const text = trans._n('JIT: %1 miss', 'JIT: %1 misses', misses);
  return (
    <button
      type="button"
      className="jp-JitMagicStatus-button"
      title={trans.__(
        '%1, %2 spent compiling. Show the jit caches.',
        text,
        duration(compile_s)
      )}
      onClick={onOpen}
    >
      <jitIcon.react tag="span" width="14px" height="14px" aria-hidden />
      {running > 0 ? trans.__('%1 · compiling…', text) : text}
    </button>
  );
}
