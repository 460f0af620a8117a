/** Above the table: one filter for everything below, and which functions are shown. */
import { searchIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { IFilter } from '../filter';
import type { IPanelActions, IPanelState, Show } from '../tokens';
import { useDomId, useTrans } from './context';

export function Tools({
  state,
  filter,
  actions
}: {
  state: IPanelState;
  filter: IFilter;
  actions: IPanelActions;
}): React.JSX.Element {
  const trans = useTrans();
  const { filter: text, show } = state;
  const id = useDomId();
  return (
    <div className="jp-JitMagic-tools">
      <span className="jp-JitMagic-filter">
        <searchIcon.react tag="span" width="14px" height="14px" aria-hidden />
        <input
          type="search"
          className="jp-mod-styled"
          placeholder={trans.__('name, cause:shape, cost:>1s')}
          title={trans.__(
            'Filters everything below: words in names, types and values; %1 a function, %2 why it missed, %3 what it cost',
            'fn:train_step',
            'cause:shape',
            'cost:>1s'
          )}
          aria-label={trans.__('Filter functions, entries, misses and advice')}
          aria-describedby={filter.unknown.length ? id : undefined}
          value={text}
          onChange={event => actions.view({ filter: event.target.value })}
          onKeyDown={event => {
            if (event.key === 'Escape' && text) {
              event.stopPropagation();
              actions.view({ filter: '' });
            }
          }}
        />
      </span>
      <ShowChoice show={show} onChange={each => actions.view({ show: each })} />
      {filter.unknown.length > 0 && (
        <p className="jp-JitMagic-quiet jp-JitMagic-hint" role="status" id={id}>
          {trans.__(
            '%1 is not understood: write a time, as in %2.',
            filter.unknown.join(' '),
            'cost:>200ms'
          )}
        </p>
      )}
    </div>
  );
}

function ShowChoice({
  show,
  onChange
}: {
  show: Show;
  onChange: (show: Show) => void;
}): React.JSX.Element {
  const trans = useTrans();
  const choices: [Show, string, string][] = [
    ['all', trans.__('All'), trans.__('Every function')],
    [
      'recompiled',
      trans.__('Recompiled'),
      trans.__('Functions that were compiled again')
    ],
    [
      'dead',
      trans.__('Dead'),
      trans.__('Functions and entries that nothing can hit any more')
    ]
  ];
  return (
    <span
      className="jp-JitMagic-choice"
      role="group"
      aria-label={trans.__('Which functions')}
    >
      {choices.map(([value, label, hint]) => (
        <button
          key={value}
          type="button"
          title={hint}
          aria-pressed={show === value}
          onClick={() => onChange(value)}
        >
          {label}
        </button>
      ))}
    </span>
  );
}
