/** The whole panel. */
import type { TranslationBundle } from '@jupyterlab/translation';
import * as React from 'react';

import { NO_FILTER, parseFilter } from '../filter';
import type {
  IPanelActions,
  IPanelState,
  IPanelStore,
  Selection
} from '../tokens';
import { AdviceDetails, CureDetails } from './advice';
import { CacheTable } from './cache';
import { IdPrefix, Translation, useTrans } from './context';
import { Empty } from './empty';
import { EntryDetails } from './entry';
import { Header } from './header';
import { useLaidOut } from './layout';
import { Misses } from './misses';
import { NowBar } from './now';
import { Others } from './others';
import { Splitter } from './splitter';
import { Summary } from './summary';
import { Timeline } from './timeline';
import { Todos } from './todos';
import { Tools } from './tools';

export interface IAppProps {
  store: IPanelStore;
  actions: IPanelActions;
  trans: TranslationBundle;
  /** Side by side in a tab of its own, rather than one below the other in a sidebar. */
  wide?: boolean;
}

/** The states in which the rows are old. */
const STALE = new Set(['restarting', 'lost', 'dead', 'waiting']);
const WITH_ROWS = new Set(['live', 'connecting', ...STALE]);

export function App({
  store,
  actions,
  trans,
  wide = false
}: IAppProps): React.JSX.Element {
  const state = React.useSyncExternalStore(store.subscribe, () => store.state);
  const rows =
    state.functions.size + state.diagnoses.length + state.others.length > 0 &&
    WITH_ROWS.has(state.link);
  return (
    <Translation.Provider value={trans}>
      <IdPrefix.Provider value={wide ? 'jitmagic-wide' : 'jitmagic'}>
        <Header state={state} actions={actions} rows={rows} />
        {rows ? (
          // a new epoch is a new cache: what was open or chosen in the old one means nothing in it
          <Living
            key={state.epoch}
            wide={wide}
            state={state}
            actions={actions}
          />
        ) : (
          <Empty state={state} actions={actions} />
        )}
      </IdPrefix.Provider>
    </Translation.Provider>
  );
}

/** The entry that is shown closely: the chosen one, or that of the chosen miss. */
function entryOf(
  selected: Selection | null,
  state: IPanelState
): number | undefined {
  switch (selected?.kind) {
    case 'entry':
      return selected.id;
    case 'miss':
      return state.misses.find(miss => miss.id === selected.id)?.entry;
  }
}

/** The newest function of a name; 0 where there is none. */
function functionCalled(name: string, state: IPanelState): number {
  let found = 0;
  for (const row of state.functions.values()) {
    if (row.name === name) {
      found = row.id;
    }
  }
  return found;
}

function Living({
  wide,
  state,
  actions
}: {
  wide: boolean;
  state: IPanelState;
  actions: IPanelActions;
}): React.JSX.Element {
  const { selected } = state;
  const trans = useTrans();
  // in pixels, where the user has chosen one
  const [missesHeight, setMissesHeight] = useLaidOut<number | null>(
    state,
    actions,
    'missesHeight',
    null
  );
  const [detailsHeight, setDetailsHeight] = useLaidOut<number | null>(
    state,
    actions,
    'detailsHeight',
    null
  );
  const body = React.useRef<HTMLDivElement>(null);
  const setSelected = (selection: Selection | null): void =>
    actions.select(selection);
  // the focus was in what goes
  const close = (): void => {
    setSelected(null);
    body.current?.querySelector<HTMLElement>('[role="treegrid"]')?.focus();
  };
  const filter = React.useMemo(
    () => (state.filter.trim() ? parseFilter(state.filter) : NO_FILTER),
    [state.filter]
  );
  const entry = state.entries.get(entryOf(selected, state) ?? -1);
  const advice =
    selected?.kind === 'advice'
      ? state.diagnoses.find(row => row.id === selected.id)
      : undefined;
  const cure =
    selected?.kind === 'cure'
      ? state.cures.find(row => row.id === selected.id)
      : undefined;
  const chosen = entry ?? advice ?? cure;
  const caches = (
    <>
      <Todos
        state={state}
        filter={filter}
        selected={selected}
        onSelect={setSelected}
      />
      {!wide && <Timeline state={state} actions={actions} opened={false} />}
      <Tools state={state} filter={filter} actions={actions} />
      <CacheTable
        rest={wide || missesHeight !== null}
        state={state}
        filter={filter}
        actions={actions}
        selected={entry ? entry.id : null}
        reveal={
          entry
            ? `e${entry.id}`
            : cure
              ? `f${cure.function}`
              : advice
                ? `f${functionCalled(advice.function, state)}`
                : null
        }
        onSelect={id => setSelected(id === null ? null : { kind: 'entry', id })}
      />
    </>
  );
  const misses = (
    <Misses
      height={missesHeight}
      state={state}
      filter={filter}
      actions={actions}
      selected={selected}
      onSelect={setSelected}
    />
  );
  const others = <Others state={state} filter={filter} actions={actions} />;
  const details = (
    <>
      {chosen && (
        <Splitter
          label={trans.__('Height of the details')}
          height={detailsHeight}
          onHeight={setDetailsHeight}
        />
      )}
      {entry && (
        <EntryDetails
          height={detailsHeight}
          entry={entry}
          key={entry.id}
          state={state}
          actions={actions}
          onClose={close}
        />
      )}
      {advice && (
        <AdviceDetails
          height={detailsHeight}
          key={advice.id}
          row={advice}
          state={state}
          actions={actions}
          onClose={close}
        />
      )}
      {cure && (
        <CureDetails
          height={detailsHeight}
          key={cure.id}
          row={cure}
          state={state}
          actions={actions}
          onClose={close}
        />
      )}
    </>
  );
  return (
    <div
      ref={body}
      className="jp-JitMagic-body"
      onKeyDown={event => {
        if (event.key === 'Escape' && !event.defaultPrevented) {
          // first what is open goes
          if (chosen) {
            close();
          } else {
            actions.leave();
          }
        }
      }}
      data-stale={STALE.has(state.link) ? true : undefined}
    >
      <Summary state={state} />
      <NowBar state={state} actions={actions} />
      {wide ? (
        <div className="jp-JitMagic-columns">
          <div className="jp-JitMagic-column">
            {caches}
            {others}
          </div>
          <div className="jp-JitMagic-column">
            <Timeline state={state} actions={actions} opened />
            {misses}
            {details}
          </div>
        </div>
      ) : (
        <>
          {caches}
          <Splitter
            label={trans.__('Height of the misses')}
            height={missesHeight}
            onHeight={setMissesHeight}
          />
          {misses}
          {others}
          {details}
        </>
      )}
      <p className="jp-JitMagic-said" role="status" hidden={!state.said}>
        {state.said}
      </p>
    </div>
  );
}
