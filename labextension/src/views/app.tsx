/** The whole panel. */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import type {
  IPanelActions,
  IPanelState,
  IPanelStore,
  Selection
} from '../tokens';
import { AdviceDetails } from './advice';
import { CacheTable } from './cache';
import { Translation } from './context';
import { Empty } from './empty';
import { EntryDetails } from './entry';
import { Header } from './header';
import { Misses } from './misses';
import { NowBar } from './now';

export interface IAppProps {
  store: IPanelStore;
  actions: IPanelActions;
  trans: TranslationBundle;
}

/** The states in which the rows are old. */
const STALE = new Set(['restarting', 'lost', 'dead', 'waiting']);
const WITH_ROWS = new Set(['live', 'connecting', ...STALE]);

export function App({ store, actions, trans }: IAppProps): React.JSX.Element {
  const state = React.useSyncExternalStore(store.subscribe, () => store.state);
  const rows =
    state.functions.size + state.diagnoses.length > 0 &&
    WITH_ROWS.has(state.link);
  return (
    <Translation.Provider value={trans}>
      <Header state={state} actions={actions} />
      {rows ? (
        // a new epoch is a new cache: what was open or chosen in the old one means nothing in it
        <Living key={state.epoch} state={state} actions={actions} />
      ) : (
        <Empty state={state} actions={actions} />
      )}
    </Translation.Provider>
  );
}

function Living({
  state,
  actions
}: {
  state: IPanelState;
  actions: IPanelActions;
}): React.JSX.Element {
  const { selected } = state;
  const setSelected = (selection: Selection | null): void =>
    actions.select(selection);
  const close = (): void => setSelected(null);
  const entry =
    selected?.kind === 'entry' ? state.entries.get(selected.id) : undefined;
  const advice =
    selected?.kind === 'advice'
      ? state.diagnoses.find(row => row.id === selected.id)
      : undefined;
  return (
    <div
      className="jp-JitMagic-body"
      data-stale={STALE.has(state.link) ? true : undefined}
    >
      <NowBar state={state} actions={actions} />
      <CacheTable
        state={state}
        actions={actions}
        selected={entry ? entry.id : null}
        onSelect={id => setSelected(id === null ? null : { kind: 'entry', id })}
      />
      <Misses
        state={state}
        actions={actions}
        selected={selected}
        onSelect={setSelected}
      />
      {entry && (
        <EntryDetails
          entry={entry}
          key={entry.id}
          state={state}
          actions={actions}
          onClose={close}
        />
      )}
      {advice && (
        <AdviceDetails
          key={advice.id}
          row={advice}
          actions={actions}
          onClose={close}
        />
      )}
      <p className="jp-JitMagic-said" role="status" hidden={!state.said}>
        {state.said}
      </p>
    </div>
  );
}
