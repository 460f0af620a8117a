/** One row of the table, a function's or an entry's; drawn again only when what it shows has changed. */
import { caretDownIcon, caretRightIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import {
  bytes,
  clock,
  count,
  duration,
  durations,
  percent,
  shortened
} from '../format';
import {
  type IEntryItem,
  type IFunctionItem,
  type Item,
  entryCost,
  entryLabel,
  entryParts,
  entryRest,
  hitRate
} from '../table';
import type { ColumnId } from '../tokens';
import { useTrans } from './context';
import type { IColumn } from './head';
import { Name } from './name';
import { placeText } from './words';

export const ROW_HEIGHT = 24;

export interface IRowProps {
  readonly item: Item;
  readonly index: number;
  readonly id: string;
  readonly columns: readonly IColumn[];
  readonly template: string;
  readonly active: boolean;
  readonly selected: boolean;
  readonly onClick: (item: Item) => void;
  /** Its context menu is being opened. */
  readonly onMenu: (item: Item) => void;
}

export const Row = React.memo(function Row({
  item,
  index,
  id,
  columns,
  template,
  active,
  selected,
  onClick,
  onMenu
}: IRowProps): React.JSX.Element {
  return (
    <div
      id={id}
      role="row"
      aria-rowindex={index + 2}
      aria-level={item.kind === 'function' ? 1 : 2}
      aria-posinset={item.position}
      aria-setsize={item.count}
      aria-expanded={item.kind === 'function' ? item.expanded : undefined}
      aria-selected={selected}
      data-kind={item.kind}
      data-function={item.kind === 'function' ? item.row.id : item.row.function}
      data-entry={item.kind === 'entry' ? item.row.id : undefined}
      data-active={active ? true : undefined}
      data-dead={item.dead ? true : undefined}
      className="jp-JitMagic-row"
      style={{
        gridTemplateColumns: template,
        height: ROW_HEIGHT,
        transform: `translateY(${index * ROW_HEIGHT}px)`
      }}
      onContextMenu={() => onMenu(item)}
      onClick={() => onClick(item)}
    >
      {item.kind === 'function'
        ? columns.map(column => (
            <FunctionCell key={column.id} item={item} column={column.id} />
          ))
        : columns.map((column, place) =>
            place === 0 ? (
              <EntryName
                key={column.id}
                item={item}
                span={1 + emptyAfterName(columns)}
              />
            ) : place <= emptyAfterName(columns) ? null : (
              <EntryCell key={column.id} item={item} column={column.id} />
            )
          )}
    </div>
  );
}, sameRow);

/** How many columns beside the name have nothing to say of an entry: their room is the name's. */
function emptyAfterName(columns: readonly IColumn[]): number {
  const rest = columns.slice(1);
  const first = rest.findIndex(({ id }) => !OF_FUNCTIONS.has(id));
  return first < 0 ? rest.length : first;
}

const OF_FUNCTIONS: ReadonlySet<ColumnId> = new Set([
  'entries',
  'misses',
  'rate',
  'share'
]);

function sameRow(old: IRowProps, now: IRowProps): boolean {
  for (const name of Object.keys(now) as (keyof IRowProps)[]) {
    if (name !== 'item' && old[name] !== now[name]) {
      return false;
    }
  }
  return sameItem(old.item, now.item);
}

/** Items are made anew each time: what they show is compared. */
function sameItem(old: Item, now: Item): boolean {
  for (const name of Object.keys(now) as (keyof Item)[]) {
    const [left, right] = [old[name], now[name]] as [unknown, unknown];
    if (
      left !== right &&
      !sameRange(left, right) &&
      !IN_OTHER_FIELDS.has(name)
    ) {
      return false;
    }
  }
  return true;
}

const IN_OTHER_FIELDS: ReadonlySet<string> = new Set(['all']);
const LONGEST_VALUE = 24;

function sameRange(left: unknown, right: unknown): boolean {
  return (
    Array.isArray(left) &&
    Array.isArray(right) &&
    left.length === right.length &&
    left.every((value, place) => value === right[place])
  );
}

function Cell({
  column,
  children
}: {
  column: ColumnId;
  children: React.ReactNode;
}): React.JSX.Element {
  return (
    <span role="gridcell" className="jp-JitMagic-cell" data-column={column}>
      {children}
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
  const { row } = item;
  switch (column) {
    case 'name':
      return <FunctionName item={item} />;
    case 'entries':
      return <Cell column={column}>{count(item.entries)}</Cell>;
    case 'hits':
      return <Cell column={column}>{count(row.hits)}</Cell>;
    case 'misses':
      return <Cell column={column}>{count(row.misses)}</Cell>;
    case 'rate':
      return <Cell column={column}>{percent(hitRate(row))}</Cell>;
    case 'cost':
      return (
        <Cell column={column}>
          {item.bar > 0 && (
            <span
              className="jp-JitMagic-bar"
              aria-hidden="true"
              style={{ inlineSize: `${Math.max(4, item.bar * 100)}%` }}
            />
          )}
          {duration(item.cost)}
        </Cell>
      );
    case 'compile':
      return <Cell column={column}>{duration(row.compile_s || null)}</Cell>;
    case 'execute':
      return <Cell column={column}>{durations(item.execute)}</Cell>;
    case 'memory':
      return <Cell column={column}>{bytes(item.memory)}</Cell>;
    case 'share':
      return <Cell column={column}>{percent(item.share)}</Cell>;
    case 'used':
      return <Cell column={column}>{clock(item.used)}</Cell>;
  }
}

function FunctionName({ item }: { item: IFunctionItem }): React.JSX.Element {
  const trans = useTrans();
  const { row } = item;
  const Caret = item.expanded ? caretDownIcon : caretRightIcon;
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
      <Name name={row.name} />
      {item.pinned && <Badge>{trans.__('pinned')}</Badge>}
      {!row.recording && <Badge>{trans.__('not recorded')}</Badge>}
      {item.dead && <Fate superseded={row.superseded} />}
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
  switch (column) {
    case 'hits':
      return <Cell column={column}>{count(row.hits)}</Cell>;
    case 'cost':
      return <Cell column={column}>{duration(entryCost(row))}</Cell>;
    case 'compile':
      return (
        <Cell column={column}>
          {row.outcome === 'disk_hit'
            ? trans.__('from disk')
            : duration(row.compile_s)}
        </Cell>
      );
    case 'execute':
      return <Cell column={column}>{duration(row.execute_s)}</Cell>;
    case 'memory':
      return <Cell column={column}>{bytes(item.memory)}</Cell>;
    case 'used':
      return <Cell column={column}>{clock(row.last_used_s)}</Cell>;
    default:
      return <Cell column={column}>{null}</Cell>;
  }
}

/** What tells it apart, in columns of its function's own; then the rest, as far as there is room. */
function EntryName({
  item,
  span
}: {
  item: IEntryItem;
  /** Over so many columns. */
  span: number;
}): React.JSX.Element {
  const trans = useTrans();
  const { row, names, lengths } = item;
  const rest = entryRest(row, names);
  return (
    <span
      role="gridcell"
      className="jp-JitMagic-cell"
      data-column="name"
      title={entryLabel(row, names)}
      aria-colspan={span > 1 ? span : undefined}
      style={span > 1 ? { gridColumn: `span ${span}` } : undefined}
    >
      {entryParts(row, names).map(([name, value], place) => {
        const before = name.length + 1;
        const column = before + Math.min(lengths[place], LONGEST_VALUE);
        return (
          <span
            key={name}
            className="jp-JitMagic-static"
            style={
              place === 0
                ? { minWidth: `${column}ch` }
                : {
                    // letters are no whole number of pixels wide
                    flexBasis: `calc(${Math.max(column, before + value.length)}ch + 1px)`
                  }
            }
          >
            <span className="jp-JitMagic-quiet">{shortened(name)}=</span>
            {shortened(value)}
          </span>
        );
      })}
      <span className="jp-JitMagic-avals">
        {shortened(rest) || (names.length ? '' : trans.__('no arguments'))}
      </span>
      {item.dead && <Fate superseded={row.superseded} />}
    </span>
  );
}

function Fate({ superseded }: { superseded: boolean }): React.JSX.Element {
  const trans = useTrans();
  return <Badge>{superseded ? trans.__('replaced') : trans.__('gone')}</Badge>;
}

function Badge({ children }: { children: React.ReactNode }): React.JSX.Element {
  return <span className="jp-JitMagic-badge">{children}</span>;
}
