/** The tree-table: functions, and under them their cache entries. */
import {
  caretDownIcon,
  caretRightIcon,
  caretUpIcon,
  searchIcon
} from '@jupyterlab/ui-components';
import { useVirtualizer } from '@tanstack/react-virtual';
import * as React from 'react';

import { bytes, clock, count, duration, durations, percent } from '../format';
import {
  type IEntryItem,
  type IFunctionItem,
  type ISort,
  type Item,
  type Show,
  entryLabel,
  hitRate,
  placeColumns,
  tableItems
} from '../table';
import type { ColumnId, IPanelActions, IPanelState } from '../tokens';
import { useTrans } from './context';
import { useWidth } from './hooks';
import { placeText } from './words';

const ROW_HEIGHT = 24;

interface IColumn {
  readonly id: ColumnId;
  readonly label: string;
  readonly hint: string;
  readonly width: number;
}

export function CacheTable({
  state,
  actions,
  selected,
  onSelect
}: {
  state: IPanelState;
  actions: IPanelActions;
  selected: number | null;
  onSelect: (entry: number | null) => void;
}): React.JSX.Element {
  const trans = useTrans();
  const id = React.useId();
  const root = React.useRef<HTMLDivElement>(null);
  const body = React.useRef<HTMLDivElement>(null);
  const width = useWidth(root);
  const [filter, setFilter] = React.useState('');
  const [show, setShow] = React.useState<Show>('all');
  const [sort, setSort] = React.useState<ISort | null>(null);
  const [active, setActive] = React.useState<string | null>(null);

  const items = React.useMemo(
    () =>
      tableItems(state, {
        filter,
        show,
        sort,
        expanded: state.expanded,
        pinned: state.pinned
      }),
    [state, filter, show, sort]
  );
  const columns = useColumns(state.columns, width);
  const template = columns
    .map(column => (column.width ? `${column.width}px` : 'minmax(0, 1fr)'))
    .join(' ');
  const virtual = useVirtualizer({
    count: items.length,
    getScrollElement: () => body.current,
    estimateSize: () => ROW_HEIGHT,
    getItemKey: index => items[index].key,
    overscan: 8
  });
  const at = items.findIndex(item => item.key === active);

  const toggle = (functionId: number, open?: boolean): void =>
    actions.expand([functionId], open ?? !state.expanded.has(functionId));
  const move = (index: number): void => {
    if (items.length > 0) {
      const target = Math.max(0, Math.min(items.length - 1, index));
      setActive(items[target].key);
      virtual.scrollToIndex(target);
    }
  };
  const choose = (item: Item): void => {
    if (item.kind === 'function') {
      toggle(item.row.id);
    } else {
      onSelect(item.row.id === selected ? null : item.row.id);
    }
  };
  const openMenu = (item: Item, x?: number, y?: number): void => {
    const functionId =
      item.kind === 'function' ? item.row.id : item.row.function;
    const box = document
      .getElementById(`${id}-${item.key}`)
      ?.getBoundingClientRect();
    actions.openMenu(
      x ?? (box?.left ?? 0) + 24,
      y ?? box?.bottom ?? 0,
      functionId
    );
  };
  const onKeyDown = (event: React.KeyboardEvent): void => {
    const item = items[at];
    const page = Math.max(
      1,
      Math.floor((body.current?.clientHeight ?? 0) / ROW_HEIGHT) - 1
    );
    switch (event.key) {
      case 'ArrowDown':
        move(at + 1);
        break;
      case 'ArrowUp':
        move(at < 0 ? items.length - 1 : at - 1);
        break;
      case 'PageDown':
        move(at + page);
        break;
      case 'PageUp':
        move(at - page);
        break;
      case 'Home':
        move(0);
        break;
      case 'End':
        move(items.length - 1);
        break;
      case 'ArrowRight':
        if (item?.kind === 'function' && !item.expanded) {
          toggle(item.row.id, true);
        } else if (item?.kind === 'function') {
          move(at + 1);
        }
        break;
      case 'ArrowLeft':
        if (item?.kind === 'function') {
          toggle(item.row.id, false);
        } else if (item) {
          move(items.findIndex(other => other.key === `f${item.row.function}`));
        }
        break;
      case 'ContextMenu':
      case 'F10':
        if (!item || (event.key === 'F10' && !event.shiftKey)) {
          return;
        }
        openMenu(item);
        break;
      case 'Enter':
      case ' ':
        if (item) {
          choose(item);
        }
        break;
      default:
        return;
    }
    event.preventDefault();
    event.stopPropagation();
  };

  return (
    <section
      className="jp-JitMagic-cache"
      aria-label={trans.__('Cache')}
      ref={root}
    >
      <div className="jp-JitMagic-tools">
        <span className="jp-JitMagic-filter">
          <searchIcon.react tag="span" width="14px" height="14px" aria-hidden />
          <input
            type="search"
            className="jp-mod-styled"
            placeholder={trans.__('Filter')}
            aria-label={trans.__('Filter functions and entries')}
            value={filter}
            onChange={event => setFilter(event.target.value)}
            onKeyDown={event => {
              if (event.key === 'Escape' && filter) {
                event.stopPropagation();
                setFilter('');
              }
            }}
          />
        </span>
        <ShowChoice show={show} onChange={setShow} />
      </div>
      <div
        className="jp-JitMagic-grid"
        role="treegrid"
        aria-label={trans.__('Functions and their cache entries')}
        aria-rowcount={items.length + 1}
        aria-colcount={columns.length}
        aria-activedescendant={at >= 0 ? `${id}-${items[at].key}` : undefined}
        tabIndex={0}
        onKeyDown={onKeyDown}
        onFocus={() => {
          if (at < 0 && items.length > 0) {
            setActive(items[0].key);
          }
        }}
      >
        <div role="rowgroup" className="jp-JitMagic-head">
          <div
            role="row"
            aria-rowindex={1}
            className="jp-JitMagic-row"
            style={{ gridTemplateColumns: template }}
          >
            {columns.map(column => (
              <Heading
                key={column.id}
                column={column}
                sort={sort}
                onSort={setSort}
              />
            ))}
          </div>
        </div>
        <div role="rowgroup" className="jp-JitMagic-rows" ref={body}>
          <div
            role="presentation"
            style={{ height: virtual.getTotalSize(), position: 'relative' }}
          >
            {virtual.getVirtualItems().map(place => {
              const item = items[place.index];
              return (
                <div
                  key={item.key}
                  id={`${id}-${item.key}`}
                  role="row"
                  aria-rowindex={place.index + 2}
                  aria-level={item.kind === 'function' ? 1 : 2}
                  aria-posinset={item.position}
                  aria-setsize={item.count}
                  aria-expanded={
                    item.kind === 'function' ? item.expanded : undefined
                  }
                  aria-selected={
                    item.kind === 'entry' && item.row.id === selected
                  }
                  data-kind={item.kind}
                  data-active={item.key === active ? true : undefined}
                  data-dead={item.dead ? true : undefined}
                  className="jp-JitMagic-row"
                  style={{
                    gridTemplateColumns: template,
                    position: 'absolute',
                    insetInline: 0,
                    top: 0,
                    height: ROW_HEIGHT,
                    transform: `translateY(${place.start}px)`
                  }}
                  onContextMenu={event => {
                    event.preventDefault();
                    event.stopPropagation();
                    setActive(item.key);
                    openMenu(item, event.clientX, event.clientY);
                  }}
                  onClick={() => {
                    setActive(item.key);
                    choose(item);
                  }}
                >
                  {columns.map(column =>
                    item.kind === 'function' ? (
                      <FunctionCell
                        key={column.id}
                        item={item}
                        column={column.id}
                      />
                    ) : (
                      <EntryCell
                        key={column.id}
                        item={item}
                        column={column.id}
                      />
                    )
                  )}
                </div>
              );
            })}
          </div>
          {items.length === 0 && (
            <div className="jp-JitMagic-nothing" role="row">
              <span role="gridcell">
                {show === 'missed' && !filter
                  ? trans.__('No function was compiled again.')
                  : show === 'dead' && !filter
                    ? trans.__('No dead entries.')
                    : trans.__('Nothing matches the filter.')}
              </span>
            </div>
          )}
        </div>
      </div>
    </section>
  );
}

function useColumns(wanted: readonly ColumnId[], width: number): IColumn[] {
  const trans = useTrans();
  return React.useMemo(() => {
    const texts: Record<ColumnId, [string, string]> = {
      name: [
        trans.__('Function'),
        trans.__('Function, or what tells the entry apart')
      ],
      entries: [trans.__('Entries'), trans.__('Living cache entries')],
      hits: [trans.__('Hits'), trans.__('Calls that found their entry')],
      misses: [
        trans.__('Misses'),
        trans.__('Calls that traced, lowered or compiled')
      ],
      rate: [trans.__('Hit rate'), trans.__('Hits of hits and misses')],
      compile: [
        trans.__('Compile'),
        trans.__('Time in the backend (XLA) compile, in all')
      ],
      share: [trans.__('Share'), trans.__('Part of all compile time')],
      execute: [
        trans.__('Execute'),
        trans.__(
          'Median execution where it was measured; for a function the range over its entries'
        )
      ],
      memory: [
        trans.__('Memory'),
        trans.__('Code and temporaries of the executables')
      ],
      used: [trans.__('Last used'), trans.__('Time of the last call')]
    };
    return placeColumns(wanted, width).map(({ id, width: size }) => {
      const [label, hint] = texts[id];
      return { id, label, hint, width: size };
    });
  }, [trans, wanted, width]);
}

function Heading({
  column,
  sort,
  onSort
}: {
  column: IColumn;
  sort: ISort | null;
  onSort: (sort: ISort | null) => void;
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
        tabIndex={-1}
        title={column.hint}
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

function FunctionCell({
  item,
  column
}: {
  item: IFunctionItem;
  column: ColumnId;
}): React.JSX.Element {
  const trans = useTrans();
  const { row } = item;
  const Caret = item.expanded ? caretDownIcon : caretRightIcon;
  let content: React.ReactNode;
  switch (column) {
    case 'name':
      return (
        <span
          role="gridcell"
          className="jp-JitMagic-cell"
          data-column="name"
          title={`${row.name}\n${placeText(trans, row.place)}`}
        >
          <Caret.react
            tag="span"
            className="jp-JitMagic-caret"
            width="14px"
            height="14px"
          />
          <span className="jp-JitMagic-fn">{row.name}</span>
          {item.pinned && (
            <span className="jp-JitMagic-badge">{trans.__('pinned')}</span>
          )}
          {!row.recording && (
            <span className="jp-JitMagic-badge">{trans.__('paused')}</span>
          )}
          {item.dead && (
            <span className="jp-JitMagic-badge">
              {row.superseded ? trans.__('replaced') : trans.__('gone')}
            </span>
          )}
        </span>
      );
    case 'entries':
      content = count(item.entries);
      break;
    case 'hits':
      content = count(row.hits);
      break;
    case 'misses':
      content = count(row.misses);
      break;
    case 'rate':
      content = percent(hitRate(row));
      break;
    case 'compile':
      content = (
        <>
          {item.share >= 0.02 && (
            <span
              className="jp-JitMagic-bar"
              aria-hidden="true"
              style={{ inlineSize: `${item.share * 100}%` }}
            />
          )}
          {duration(row.compile_s)}
        </>
      );
      break;
    case 'execute':
      content = durations(item.execute);
      break;
    case 'memory':
      content = bytes(item.memory);
      break;
    case 'share':
      content = percent(item.share);
      break;
    case 'used':
      content = clock(item.used);
      break;
  }
  return (
    <span role="gridcell" className="jp-JitMagic-cell" data-column={column}>
      {content}
    </span>
  );
}

function EntryCell({
  item,
  column
}: {
  item: IEntryItem;
  column: ColumnId;
}): React.JSX.Element {
  const trans = useTrans();
  const { row } = item;
  let content: React.ReactNode = '';
  switch (column) {
    case 'name':
      return (
        <span
          role="gridcell"
          className="jp-JitMagic-cell"
          data-column="name"
          title={[entryLabel(row), row.transformation]
            .filter(Boolean)
            .join('\n')}
        >
          {Object.entries(row.static).map(([name, value]) => (
            <span key={name} className="jp-JitMagic-static">
              {name}={value}
            </span>
          ))}
          <span className="jp-JitMagic-avals">{row.avals || '()'}</span>
          {row.transformation && (
            <span className="jp-JitMagic-badge">{row.transformation}</span>
          )}
          {item.dead && (
            <span className="jp-JitMagic-badge">
              {row.superseded ? trans.__('replaced') : trans.__('gone')}
            </span>
          )}
        </span>
      );
    case 'hits':
      content = count(row.hits);
      break;
    case 'compile':
      content =
        row.outcome === 'disk_hit'
          ? trans.__('from disk')
          : duration(row.compile_s);
      break;
    case 'execute':
      content = duration(row.execute_s);
      break;
    case 'memory':
      content = bytes(item.memory);
      break;
    case 'used':
      content = clock(row.last_used_s);
      break;
  }
  return (
    <span role="gridcell" className="jp-JitMagic-cell" data-column={column}>
      {content}
    </span>
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
