/** One row of the table, a function's or an entry's; drawn again only when what it shows has changed. */
import { caretDownIcon, caretRightIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import {
  bytes,
  bytesTogether,
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
  type IHeadingItem,
  type ShownItem,
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
  readonly item: ShownItem;
  readonly index: number;
  readonly id: string;
  readonly columns: readonly IColumn[];
  readonly template: string;
  readonly active: boolean;
  readonly selected: boolean;
  readonly onClick: (item: ShownItem) => void;
  /** Its context menu is being opened. */
  readonly onMenu: (item: ShownItem) => void;
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
      aria-posinset={item.kind === 'heading' ? undefined : item.position}
      aria-setsize={item.kind === 'heading' ? undefined : item.count}
      aria-expanded={item.kind === 'function' ? item.expanded : undefined}
      aria-selected={item.kind === 'heading' ? undefined : selected}
      data-kind={item.kind}
      data-function={item.kind === 'entry' ? item.row.function : item.row.id}
      data-entry={item.kind === 'entry' ? item.row.id : undefined}
      data-active={active ? true : undefined}
      data-dead={item.kind !== 'heading' && item.dead ? true : undefined}
      className="jp-JitMagic-row"
      style={{
        gridTemplateColumns: template,
        height: ROW_HEIGHT,
        transform: `translateY(${index * ROW_HEIGHT}px)`
      }}
      onContextMenu={() => onMenu(item)}
      onClick={() => onClick(item)}
    >
      <RowCells item={item} columns={columns} />
    </div>
  );
}, sameRow);

function RowCells({
  item,
  columns
}: {
  item: ShownItem;
  columns: readonly IColumn[];
}): React.JSX.Element {
  if (item.kind === 'function') {
    return (
      <>
        {columns.map(column => (
          <FunctionCell key={column.id} item={item} column={column.id} />
        ))}
      </>
    );
  }
  // what has nothing to say of an entry leaves its room to the name
  const empty = emptyAfterName(columns);
  if (item.kind === 'heading') {
    return <EntryHeading item={item} span={1 + empty} />;
  }
  return (
    <>
      <EntryName item={item} span={1 + empty} />
      {columns.slice(1 + empty).map(column => (
        <EntryCell key={column.id} item={item} column={column.id} />
      ))}
    </>
  );
}

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
function sameItem(old: ShownItem, now: ShownItem): boolean {
  for (const name of Object.keys(now) as (keyof ShownItem)[]) {
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
/** Letters that are shown of what tells entries apart, and of its name. */
const LONGEST_VALUE = 24;
const LONGEST_NAME = 14;

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
      return (
        <Cell column={column}>
          {bytesTogether(item.memory, item.memoryWhole)}
        </Cell>
      );
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

/** The names above what tells entries apart: each stands there once. */
function EntryHeading({
  item: { names, lengths },
  span
}: {
  item: IHeadingItem;
  span: number;
}): React.JSX.Element {
  const trans = useTrans();
  return (
    <EntryNameCell
      span={span}
      title={trans.__('What tells the entries apart: %1', names.join(', '))}
    >
      {names.map((name, place) => (
        <span
          key={name}
          className="jp-JitMagic-static"
          style={{ width: partWidth(name, lengths[place]) }}
        >
          <Name name={name} />
        </span>
      ))}
      <span className="jp-JitMagic-avals">{trans.__('arguments')}</span>
    </EntryNameCell>
  );
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
    <EntryNameCell span={span} title={entryLabel(row, names)}>
      {entryParts(row, names).map(([name, value], place) => (
        <span
          key={name}
          className="jp-JitMagic-static"
          style={{ width: partWidth(name, lengths[place]) }}
        >
          {/* it stands in the heading */}
          <span className="jp-JitMagic-unseen">{shortened(name)}=</span>
          {shortened(value)}
        </span>
      ))}
      <span className="jp-JitMagic-avals">
        {shortened(rest) || (names.length ? '' : trans.__('no arguments'))}
      </span>
      {item.dead && <Fate superseded={row.superseded} />}
    </EntryNameCell>
  );
}

function EntryNameCell({
  span,
  title,
  children
}: {
  span: number;
  title: string;
  children: React.ReactNode;
}): React.JSX.Element {
  return (
    <span
      role="gridcell"
      className="jp-JitMagic-cell jp-JitMagic-entryName"
      data-column="name"
      title={title}
      aria-colspan={span > 1 ? span : undefined}
      style={span > 1 ? { gridColumn: `span ${span}` } : undefined}
    >
      {children}
    </span>
  );
}

/** Of one column of what tells entries apart: the same in its heading and in every row. */
function partWidth(name: string, length: number): string {
  const letters = Math.max(
    Math.min(name.length, LONGEST_NAME),
    Math.min(length, LONGEST_VALUE)
  );
  return `calc(${letters}ch + 1px)`; // letters are no whole number of pixels wide
}

function Fate({ superseded }: { superseded: boolean }): React.JSX.Element {
  const trans = useTrans();
  return <Badge>{superseded ? trans.__('replaced') : trans.__('gone')}</Badge>;
}

function Badge({ children }: { children: React.ReactNode }): React.JSX.Element {
  return <span className="jp-JitMagic-badge">{children}</span>;
}
