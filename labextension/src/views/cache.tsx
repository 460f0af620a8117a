/** The tree-table: functions, and under them their cache entries. */
import * as React from 'react';

import { isColumn } from '../columns';
import type { IFilter } from '../filter';
import { count, duration, durations } from '../format';
import {
  type ISort,
  type ShownItem,
  prepareSearch,
  tableFacts,
  tableItems,
  withHeadings
} from '../table';
import type { ColumnId, IPanelActions, IPanelState, Show } from '../tokens';
import { useDomId, useTrans } from './context';
import { Head, useColumns } from './head';
import { useLatest, useWidth } from './hooks';
import { useLaidOut } from './layout';
import { ROW_HEIGHT, Row } from './rows';
import { useRowWindow } from './window';

/** At first: what costs most. */
const DEAREST = 'cost down';
const NONE: IPanelState['misses'] = [];

export function CacheTable({
  rest,
  state,
  filter,
  actions,
  selected,
  reveal,
  onSelect
}: {
  /** Whether it takes what the sections below leave, rather than what it needs. */
  rest: boolean;
  state: IPanelState;
  filter: IFilter;
  actions: IPanelActions;
  selected: number | null;
  /** The key of the row that what is chosen belongs to. */
  reveal: string | null;
  onSelect: (entry: number | null) => void;
}): React.JSX.Element {
  const trans = useTrans();
  const id = useDomId();
  const root = React.useRef<HTMLDivElement>(null);
  const grid = React.useRef<HTMLDivElement>(null);
  const width = useWidth(root);
  const { show } = state;
  const [sorted, setSorted] = useLaidOut<string>(
    state,
    actions,
    'sort',
    DEAREST
  );
  const sort = React.useMemo(() => asSort(sorted), [sorted]);
  const [active, setActive] = React.useState<string | null>(null);

  const items = useItems(state, filter, sort);
  const longest = useLongest(items);
  const wanted = useTold(state.columns, items);
  const columns = useColumns(wanted, width, longest);
  const template = columns
    .map(column => (column.width ? `${column.width}px` : 'minmax(0, 1fr)'))
    .join(' ');
  const at =
    active === null ? -1 : items.findIndex(item => item.key === active);
  const { attach, height, indices, page, scrollTo } = useRowWindow(
    items.length,
    ROW_HEIGHT,
    at
  );
  // what was chosen elsewhere, by a link in the notebook or in the misses, comes into sight
  const [revealed, setRevealed] = React.useState<string | null>(null);
  if (reveal !== revealed) {
    setRevealed(reveal);
    if (reveal !== null) {
      setActive(reveal);
    }
  }
  const revealAt =
    reveal === null ? -1 : items.findIndex(item => item.key === reveal);
  React.useEffect(() => {
    if (revealAt >= 0) {
      scrollTo(revealAt);
    }
    // when it was chosen, not when rows came above it
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [reveal, scrollTo, revealAt >= 0]);
  const idOf = (item: ShownItem): string => `${id}-${item.key}`;

  const toggle = (functionId: number, open?: boolean): void =>
    actions.expand([functionId], open ?? !state.expanded.has(functionId));
  const move = (index: number): void => {
    if (items.length > 0) {
      let target = Math.max(0, Math.min(items.length - 1, index));
      if (items[target].kind === 'heading') {
        target += target < at ? -1 : 1; // it stands between a function and its first entry
      }
      setActive(items[target].key);
      scrollTo(target);
    }
  };
  const choose = useLatest((item: ShownItem): void => {
    if (item.kind === 'heading') {
      return;
    }
    setActive(item.key);
    if (item.kind === 'function') {
      toggle(item.row.id);
    } else {
      onSelect(item.row.id === selected ? null : item.row.id);
    }
  });
  const activate = useLatest((item: ShownItem): void => {
    if (item.kind !== 'heading') {
      setActive(item.key);
    }
  });
  const onKeyDown = (event: React.KeyboardEvent): void => {
    const item = items[at];
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
        } else if (item?.kind === 'entry') {
          move(items.findIndex(other => other.key === `f${item.row.function}`));
        }
        break;
      case 'ContextMenu':
      case 'F10': {
        if (!item || (event.key === 'F10' && !event.shiftKey)) {
          return;
        }
        const row = document.getElementById(idOf(item));
        if (row) {
          const { left, bottom } = row.getBoundingClientRect();
          actions.openMenu?.(row, left + 24, bottom);
        }
        break;
      }
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
      data-rest={rest ? true : undefined}
      aria-label={trans.__('Cache')}
      ref={root}
    >
      <div
        className="jp-JitMagic-grid"
        role="treegrid"
        aria-label={trans.__('Functions and their cache entries')}
        aria-rowcount={items.length + 1}
        aria-colcount={columns.length}
        aria-activedescendant={at >= 0 ? idOf(items[at]) : undefined}
        tabIndex={0}
        ref={grid}
        onKeyDown={onKeyDown}
        onFocus={() => {
          if (at < 0 && items.length > 0) {
            setActive(items[0].key);
          }
        }}
      >
        <Head
          columns={columns}
          template={template}
          sort={sort}
          onSort={each =>
            setSorted(each ? `${each.column} ${each.down ? 'down' : 'up'}` : '')
          }
          onMenu={actions.openMenu}
          onLeave={() => grid.current?.focus()}
        />
        {/* what scrolls is a stop of the Tab key, too; the keys work in it as in the grid */}
        <div
          role="rowgroup"
          className="jp-JitMagic-rows"
          aria-label={trans.__('Rows')}
          tabIndex={0}
          ref={attach}
        >
          <div
            role="presentation"
            className="jp-JitMagic-all"
            style={{ height }}
          >
            {indices.map(index => {
              const item = items[index];
              return (
                <Row
                  key={item.key}
                  item={item}
                  index={index}
                  id={idOf(item)}
                  columns={columns}
                  template={template}
                  active={index === at}
                  selected={item.kind === 'entry' && item.row.id === selected}
                  onClick={choose}
                  onMenu={activate}
                />
              );
            })}
          </div>
          {items.length === 0 && (
            <Nothing
              any={state.functions.size > 0}
              filtered={state.filter.trim() !== ''}
              show={show}
            />
          )}
        </div>
      </div>
    </section>
  );
}

/** From "cost down"; null where the order is that of the kernel. */
function asSort(text: string): ISort | null {
  const [column, way] = text.split(' ');
  return isColumn(column) ? { column, down: way === 'down' } : null;
}

/** The rows; what is known of each function is worked out again only when the kernel's rows have changed. */
function useItems(
  state: IPanelState,
  filter: IFilter,
  sort: ISort | null
): ShownItem[] {
  const { revision, functions, entries, expanded, pinned, show } = state;
  // of the misses only what is asked of them
  const misses =
    show === 'recompiled' || filter.causes.length > 0 ? state.misses : NONE;
  const facts = React.useMemo(
    () => tableFacts({ functions, entries }),
    // the maps stay the same objects, and change with the revision
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [revision, functions, entries]
  );
  React.useEffect(() => {
    const timer = setTimeout(() => prepareSearch(facts), 300);
    return () => clearTimeout(timer);
  }, [facts]);
  return React.useMemo(
    () =>
      withHeadings(
        tableItems(
          { functions, entries, misses },
          { filter, show, sort, expanded, pinned },
          facts
        )
      ),
    [facts, functions, entries, misses, filter, show, sort, expanded, pinned]
  );
}

/** The wanted columns without those that would be empty; the one that is wanted most is there whatever it tells. */
function useTold(
  wanted: readonly ColumnId[],
  items: readonly ShownItem[]
): readonly ColumnId[] {
  const tells = (column: 'execute' | 'memory'): boolean =>
    items.some(item => item.kind === 'function' && item[column] !== null);
  const [execute, memory] = [tells('execute'), tells('memory')];
  return React.useMemo(
    () =>
      wanted.filter(
        (column, place) =>
          place === 0 ||
          ({ execute, memory } as Partial<Record<ColumnId, boolean>>)[
            column
          ] !== false
      ),
    [wanted, execute, memory]
  );
}

/** The letters of the longest number in each column whose numbers may be long. */
function useLongest(
  items: readonly ShownItem[]
): Partial<Record<ColumnId, number>> {
  const found: Partial<Record<ColumnId, number>> = {};
  const see = (column: ColumnId, text: string): void => {
    found[column] = Math.max(found[column] ?? 0, text.length);
  };
  for (const item of items) {
    if (item.kind === 'function') {
      see('cost', duration(item.cost));
      see('compile', duration(item.row.compile_s));
      see('execute', durations(item.execute));
      see('hits', count(item.row.hits));
      see('misses', count(item.row.misses));
    }
  }
  const { cost, compile, execute, hits, misses } = found;
  return React.useMemo(
    () => ({ cost, compile, execute, hits, misses }),
    [cost, compile, execute, hits, misses]
  );
}

function Nothing({
  any,
  filtered,
  show
}: {
  /** Whether there are functions at all: else only what others compiled is known. */
  any: boolean;
  filtered: boolean;
  show: Show;
}): React.JSX.Element {
  const trans = useTrans();
  return (
    <div className="jp-JitMagic-nothing" role="row">
      <span role="gridcell">
        {show === 'recompiled' && !filtered
          ? trans.__('No function was compiled again.')
          : show === 'dead' && !filtered
            ? trans.__('No dead entries.')
            : any || filtered
              ? trans.__('Nothing matches the filter.')
              : trans.__('Nothing under %1 yet.', 'jm.jit')}
      </span>
    </div>
  );
}
