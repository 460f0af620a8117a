import {
  consoleIcon,
  ellipsesIcon,
  notebookIcon
} from '@jupyterlab/ui-components';
import * as React from 'react';

import { clock } from '../format';
import type { IPanelActions, IPanelState } from '../tokens';
import { useTrans } from './context';
import { useMoment, useSlow } from './hooks';
import { linkWords } from './words';

/** Which document this is about, and how things stand with its kernel. */
export function Header({
  state,
  actions,
  rows
}: {
  state: IPanelState;
  actions: IPanelActions;
  /** Whether there are rows below, whose age is to be told; else what is there says how things stand. */
  rows: boolean;
}): React.JSX.Element {
  const trans = useTrans();
  const { source } = state;
  const Icon = source?.kind === 'console' ? consoleIcon : notebookIcon;
  return (
    <div className="jp-JitMagic-header">
      <h2 className="jp-JitMagic-title">{trans.__('JIT caches')}</h2>
      {source && (
        <span
          className="jp-JitMagic-source"
          data-kind={source.kind}
          title={
            source.kind === 'console'
              ? trans.__('Console %1', source.name)
              : trans.__('Notebook %1', source.path || source.name)
          }
        >
          <Icon.react tag="span" width="14px" height="14px" aria-hidden />
          <span className="jp-JitMagic-sourceName">{source.name}</span>
        </span>
      )}
      {actions.openMenu && (
        <button
          type="button"
          className="jp-JitMagic-more"
          title={trans.__('More actions')}
          aria-label={trans.__('More actions')}
          aria-haspopup="menu"
          onClick={({ currentTarget }) => {
            const { left, bottom } = currentTarget.getBoundingClientRect();
            actions.openMenu?.(currentTarget, left, bottom);
          }}
        >
          <ellipsesIcon.react tag="span" width="16px" height="16px" />
        </button>
      )}
      {rows && <Standing state={state} />}
      <Paused state={state} actions={actions} />
    </div>
  );
}

/** Says when the numbers below are old, and since when; a status that screen readers hear. */
function Standing({ state }: { state: IPanelState }): React.JSX.Element {
  const trans = useTrans();
  const slow = useSlow(state.link === 'connecting', 400);
  const old =
    state.heard > 0 && ['restarting', 'lost', 'dead'].includes(state.link);
  const moment = useMoment(old, 1000);
  const age = old ? Math.max(0, Math.round((moment - state.heard) / 1000)) : 0;
  const seen = old ? trans.__('last seen %1 s ago', age) : '';
  const text =
    state.link === 'connecting' && !slow ? '' : linkWords(trans, state.link);
  return (
    <div
      className="jp-JitMagic-standing"
      role="status"
      data-link={state.link}
      data-busy={state.busy ? true : undefined}
      hidden={!text}
    >
      {text}
      {text && seen && (
        // not read aloud every second
        <span aria-live="off"> · {seen}</span>
      )}
    </div>
  );
}

/** Says that the numbers stand still because the user wanted it so. */
function Paused({
  state,
  actions
}: {
  state: IPanelState;
  actions: IPanelActions;
}): React.JSX.Element {
  const trans = useTrans();
  const { paused, link } = state;
  return (
    <div
      className="jp-JitMagic-standing jp-JitMagic-paused"
      role="status"
      hidden={paused === null}
    >
      {paused !== null && (
        <>
          <span>
            {trans.__('Recording paused since %1.', clock(paused))}{' '}
            <span className="jp-JitMagic-quiet">
              {trans.__('Calls made meanwhile are not counted.')}
            </span>
          </span>
          <button
            type="button"
            className="jp-JitMagic-stop"
            disabled={link !== 'live'}
            onClick={() => void actions.resume()}
          >
            {trans.__('Resume')}
          </button>
        </>
      )}
    </div>
  );
}
