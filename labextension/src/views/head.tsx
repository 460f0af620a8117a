/** The head of the table: a click sorts, a menu chooses the columns. */
import { caretDownIcon, caretUpIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { placeColumns } from '../columns';
import type { ISort } from '../table';
import type { ColumnId } from '../tokens';
import { useTrans } from './context';
import { columnWords } from './words';

export interface IColumn {
  readonly id: ColumnId;
  readonly label: string;
  readonly hint: string;
  readonly width: number;
}

/** The columns that have room in a table of this width. */
export function useColumns(
  wanted: readonly ColumnId[],
  width: number,
  longest: Partial<Record<ColumnId, number>>
): IColumn[] {
  const trans = useTrans();
  return React.useMemo(
    () =>
      placeColumns(wanted, width, longest).map(({ id, width: size }) => {
        const [label, hint] = columnWords(trans, id);
        return { id, label, hint, width: size };
      }),
    [trans, wanted, width, longest]
  );
}

export function Head({
  columns,
  template,
  sort,
  onSort,
  onMenu,
  onLeave
}: {
  columns: readonly IColumn[];
  template: string;
  sort: ISort | null;
  onSort: (sort: ISort | null) => void;
  /** Ask at a place of the window which columns there are to be. */
  onMenu: ((element: Element, x: number, y: number) => void) | undefined;
  /** Down, into the rows. */
  onLeave: () => void;
}): React.JSX.Element {
  // one of the headings is a stop of the Tab key; arrows go to the others
  const [stop, setStop] = React.useState<ColumnId>('name');
  const reachable = columns.some(({ id }) => id === stop) ? stop : 'name';
  const row = React.useRef<HTMLDivElement>(null);
  const onKeyDown = (event: React.KeyboardEvent): void => {
    const buttons = [
      ...(row.current?.querySelectorAll<HTMLButtonElement>('button') ?? [])
    ];
    const at = buttons.indexOf(event.target as HTMLButtonElement);
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (by) {
      buttons[Math.max(0, Math.min(buttons.length - 1, at + by))]?.focus();
    } else if (event.key === 'ArrowDown') {
      onLeave();
    } else if (
      event.key === 'ContextMenu' ||
      (event.key === 'F10' && event.shiftKey)
    ) {
      const { left, bottom } = buttons[at].getBoundingClientRect();
      onMenu?.(buttons[at], left, bottom);
    } else {
      if (event.key === 'Enter' || event.key === ' ') {
        event.stopPropagation(); // the button's own, not the rows'
      }
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div role="rowgroup" className="jp-JitMagic-head">
      <div
        role="row"
        aria-rowindex={1}
        className="jp-JitMagic-row"
        style={{ gridTemplateColumns: template }}
        ref={row}
        onKeyDown={onKeyDown}
      >
        {columns.map(column => (
          <Heading
            key={column.id}
            column={column}
            sort={sort}
            onSort={onSort}
            stop={column.id === reachable}
            onFocus={() => setStop(column.id)}
          />
        ))}
      </div>
    </div>
  );
}

function Heading({
  column,
  sort,
  onSort,
  stop,
  onFocus
}: {
  column: IColumn;
  sort: ISort | null;
  onSort: (sort: ISort | null) => void;
  stop: boolean;
  onFocus: () => void;
}): React.JSX.Element {
  const mine = sort?.column === column.id ? sort : null;
  const firstDown = column.id !== 'name';
  return (
    <span
      role="columnheader"
      aria-sort={mine ? (mine.down ? 'descending' : 'ascending') : 'none'}
      className="jp-JitMagic-cell"
      data-column={column.id}
    >
      <button
        type="button"
        tabIndex={stop ? 0 : -1}
        title={column.hint}
        onFocus={event => {
          event.stopPropagation(); // the rows' focus is another
          onFocus();
        }}
        onClick={() =>
          onSort(
            mine === null
              ? { column: column.id, down: firstDown }
              : mine.down === firstDown
                ? { column: column.id, down: !firstDown }
                : null
          )
        }
      >
        {column.label}
        {mine &&
          (mine.down ? (
            <caretDownIcon.react tag="span" width="12px" height="12px" />
          ) : (
            <caretUpIcon.react tag="span" width="12px" height="12px" />
          ))}
      </button>
    </span>
  );
}
