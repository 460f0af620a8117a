/** The tree-table: functions, and under them their cache entries. */
import * as React from 'react';

import {
  type ISort,
  type Item,
  type Show,
  prepareSearch,
  tableFacts,
  tableItems
} from '../table';
import type { IPanelActions, IPanelState } from '../tokens';
import { useTrans } from './context';
import { Head, useColumns } from './head';
import { useLatest, useWidth } from './hooks';
import { ROW_HEIGHT, Row } from './rows';
import { Tools } from './tools';
import { useRowWindow } from './window';

export function CacheTable({
  rest,
  state,
  actions,
  selected,
  onSelect
}: {
  /** Whether it takes what the sections below leave, rather than what it needs. */
  rest: boolean;
  state: IPanelState;
  actions: IPanelActions;
  selected: number | null;
  onSelect: (entry: number | null) => void;
}): React.JSX.Element {
  const trans = useTrans();
  const id = React.useId();
  const root = React.useRef<HTMLDivElement>(null);
  const grid = React.useRef<HTMLDivElement>(null);
  const width = useWidth(root);
  const [filter, setFilter] = React.useState('');
  const [show, setShow] = React.useState<Show>('all');
  const [sort, setSort] = React.useState<ISort | null>(null);
  const [active, setActive] = React.useState<string | null>(null);

  const items = useItems(state, filter, show, sort);
  const columns = useColumns(state.columns, width);
  const template = columns
    .map(column => (column.width ? `${column.width}px` : 'minmax(0, 1fr)'))
    .join(' ');
  const { attach, height, indices, page, scrollTo } = useRowWindow(
    items.length,
    ROW_HEIGHT
  );
  const at =
    active === null ? -1 : items.findIndex(item => item.key === active);
  const idOf = (item: Item): string => `${id}-${item.key}`;

  const toggle = (functionId: number, open?: boolean): void =>
    actions.expand([functionId], open ?? !state.expanded.has(functionId));
  const move = (index: number): void => {
    if (items.length > 0) {
      const target = Math.max(0, Math.min(items.length - 1, index));
      setActive(items[target].key);
      scrollTo(target);
    }
  };
  const choose = useLatest((item: Item): void => {
    setActive(item.key);
    if (item.kind === 'function') {
      toggle(item.row.id);
    } else {
      onSelect(item.row.id === selected ? null : item.row.id);
    }
  });
  const openMenu = useLatest((item: Item, x: number, y: number): void => {
    setActive(item.key);
    actions.openMenu(
      x,
      y,
      item.kind === 'function' ? item.row.id : item.row.function
    );
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
        } else if (item) {
          move(items.findIndex(other => other.key === `f${item.row.function}`));
        }
        break;
      case 'ContextMenu':
      case 'F10': {
        if (!item || (event.key === 'F10' && !event.shiftKey)) {
          return;
        }
        const box = document
          .getElementById(idOf(item))
          ?.getBoundingClientRect();
        openMenu(item, (box?.left ?? 0) + 24, box?.bottom ?? 0);
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
      <Tools
        filter={filter}
        onFilter={setFilter}
        show={show}
        onShow={setShow}
      />
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
          onSort={setSort}
          onMenu={(x, y) => actions.openColumns(x, y)}
          onLeave={() => grid.current?.focus()}
        />
        {/* what scrolls is a stop of the Tab key, too; the keys work in it as in the grid */}
        <div
          role="rowgroup"
          className="jp-JitMagic-rows"
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
                  onMenu={openMenu}
                />
              );
            })}
          </div>
          {items.length === 0 && <Nothing filter={filter} show={show} />}
        </div>
      </div>
    </section>
  );
}

/** The rows; what is known of each function is worked out again only when the kernel's rows have changed. */
function useItems(
  state: IPanelState,
  filter: string,
  show: Show,
  sort: ISort | null
): Item[] {
  const { revision, functions, entries, misses, expanded, pinned } = state;
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
      tableItems(
        { functions, entries, misses },
        { filter, show, sort, expanded, pinned },
        facts
      ),
    [facts, functions, entries, misses, filter, show, sort, expanded, pinned]
  );
}

function Nothing({
  filter,
  show
}: {
  filter: string;
  show: Show;
}): React.JSX.Element {
  const trans = useTrans();
  return (
    <div className="jp-JitMagic-nothing" role="row">
      <span role="gridcell">
        {show === 'missed' && !filter
          ? trans.__('No function was compiled again.')
          : show === 'dead' && !filter
            ? trans.__('No dead entries.')
            : trans.__('Nothing matches the filter.')}
      </span>
    </div>
  );
}
