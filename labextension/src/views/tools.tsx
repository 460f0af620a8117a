/** Above the table: the filter, and which functions are shown. */
import { searchIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { Show } from '../table';
import { useTrans } from './context';

export function Tools({
  filter,
  onFilter,
  show,
  onShow
}: {
  filter: string;
  onFilter: (filter: string) => void;
  show: Show;
  onShow: (show: Show) => void;
}): React.JSX.Element {
  const trans = useTrans();
  return (
    <div className="jp-JitMagic-tools">
      <span className="jp-JitMagic-filter">
        <searchIcon.react tag="span" width="14px" height="14px" aria-hidden />
        <input
          type="search"
          className="jp-mod-styled"
          placeholder={trans.__('Filter')}
          aria-label={trans.__('Filter functions and entries')}
          value={filter}
          onChange={event => onFilter(event.target.value)}
          onKeyDown={event => {
            if (event.key === 'Escape' && filter) {
              event.stopPropagation();
              onFilter('');
            }
          }}
        />
      </span>
      <ShowChoice show={show} onChange={onShow} />
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
      'missed',
      trans.__('Missed'),
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
