/** The misses: those for one reason together, what costs most or the newest first. */
import * as React from 'react';
import { flushSync } from 'react-dom';

import { clock, count, duration, shortened } from '../format';
import type { IFilter } from '../filter';
import { type IMissGroup, type Moment, missGroups } from '../groups';
import type { ICauseRow } from '../protocol';
import type { IPanelActions, IPanelState, Order, Selection } from '../tokens';
import { useDomId, useTrans } from './context';
import { FoldHead } from './fold';
import { useWidth } from './hooks';
import { useLaidOut } from './layout';
import { Name } from './name';
import { Where } from './where';
import { useRowWindow } from './window';
import { causeSentences, causeWord } from './words';

/** Two lines, three where the panel is narrow. */
const ROW_HEIGHTS = { wide: 42, narrow: 58 };
const NARROW = 340;
/** So many of the values that an argument went through are shown. */
const VALUES = 5;

export function Misses({
  height: wanted,
  state,
  filter,
  actions,
  selected,
  onSelect
}: {
  /** In pixels, where the user has chosen one. */
  height: number | null;
  state: IPanelState;
  filter: IFilter;
  actions: IPanelActions;
  selected: Selection | null;
  onSelect: (selection: Selection) => void;
}): React.JSX.Element {
  const trans = useTrans();
  const id = useDomId();
  const [open, setOpen] = useLaidOut<boolean>(state, actions, 'misses', true);
  const section = React.useRef<HTMLElement>(null);
  const narrow = useWidth(section) < NARROW;
  const rowHeight = narrow ? ROW_HEIGHTS.narrow : ROW_HEIGHTS.wide;
  const { misses, functions, order, range, revision } = state;
  const moments = React.useMemo(
    () => missGroups({ misses, functions }, order, filter, range),
    // the map stays the same object, and changes with the revision
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [misses, functions, revision, order, filter, range]
  );
  const shown = moments.reduce(
    (sum, each) => sum + (each.kind === 'misses' ? each.misses.length : 0),
    0
  );
  const { attach, height, indices, scrollTo } = useRowWindow(
    open ? moments.length : 0,
    rowHeight
  );
  // what was chosen elsewhere, by a link in the notebook or in the table, comes into sight
  const [active, setActive] = React.useState<string | null>(null);
  const activeAt = Math.max(
    0,
    moments.findIndex(moment => moment.key === active)
  );
  const list = React.useRef<HTMLUListElement>(null);
  const chosenAt =
    selected === null
      ? -1
      : moments.findIndex(moment => isChosen(moment, selected));
  React.useEffect(() => {
    if (chosenAt >= 0) {
      scrollTo(chosenAt);
    }
    // when it was chosen, not when rows came above it
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [selected, scrollTo, chosenAt >= 0]);
  const focusRow = (): void =>
    list.current
      ?.querySelector<HTMLElement>('li[data-active] button:enabled')
      ?.focus({ preventScroll: true });
  // one row's buttons are stops of the Tab key; arrows go to the other rows
  const onKeyDown = (event: React.KeyboardEvent): void => {
    const to = {
      ArrowDown: activeAt + 1,
      ArrowUp: activeAt - 1,
      Home: 0,
      End: moments.length - 1
    }[event.key];
    if (to === undefined || moments.length === 0) {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    const target = Math.max(0, Math.min(moments.length - 1, to));
    flushSync(() => {
      setActive(moments[target].key);
      scrollTo(target);
    });
    focusRow();
    if (!list.current?.contains(document.activeElement)) {
      // far away: drawn with the frame after the scroll
      requestAnimationFrame(() => requestAnimationFrame(focusRow));
    }
  };
  return (
    <section
      className="jp-JitMagic-misses"
      data-open={open ? true : undefined}
      style={open && wanted !== null ? { flex: `0 1 ${wanted}px` } : undefined}
      ref={section}
    >
      <FoldHead
        open={open}
        onOpen={setOpen}
        controls={id}
        label={
          <>
            {trans.__('Misses')}
            <span className="jp-JitMagic-count">{count(shown)}</span>
          </>
        }
      >
        {open && misses.length > 1 && (
          <OrderChoice
            order={order}
            onChange={each => actions.view({ order: each })}
          />
        )}
      </FoldHead>
      <div
        id={id}
        className="jp-JitMagic-missList"
        ref={attach}
        tabIndex={0}
        role="group"
        aria-label={
          order === 'cost'
            ? trans.__('Misses, what costs most first')
            : trans.__('Misses, newest first')
        }
        hidden={!open}
        onKeyDown={onKeyDown}
      >
        {moments.length === 0 && (
          <p className="jp-JitMagic-nothing">
            {misses.length === 0
              ? trans.__('No misses.')
              : trans.__('No miss matches the filter.')}
          </p>
        )}
        <ul style={{ height }} ref={list}>
          {indices.map(index => {
            const moment = moments[index];
            const chosen = isChosen(moment, selected);
            const stop = index === activeAt ? 0 : -1;
            return (
              <li
                key={moment.key}
                className="jp-JitMagic-miss"
                data-kind={moment.kind}
                data-narrow={narrow ? true : undefined}
                data-selected={chosen ? true : undefined}
                data-active={index === activeAt ? true : undefined}
                onFocus={() => setActive(moment.key)}
                style={{
                  height: rowHeight,
                  transform: `translateY(${index * rowHeight}px)`
                }}
                aria-posinset={index + 1}
                aria-setsize={moments.length}
              >
                {moment.kind === 'first calls' ? (
                  <>
                    <span className="jp-JitMagic-missName jp-JitMagic-quiet">
                      {trans._n(
                        '%1 first call',
                        '%1 first calls',
                        moment.count,
                        count(moment.count)
                      )}
                    </span>
                    <span className="jp-JitMagic-missCost jp-JitMagic-quiet">
                      {duration(moment.cost_s)}
                    </span>
                    <span className="jp-JitMagic-missWhy jp-JitMagic-quiet">
                      {trans.__('Every function compiles once.')}
                    </span>
                  </>
                ) : (
                  <Miss
                    group={moment}
                    stop={stop}
                    state={state}
                    actions={actions}
                    onSelect={onSelect}
                  />
                )}
              </li>
            );
          })}
        </ul>
      </div>
    </section>
  );
}

function isChosen(moment: Moment, selected: Selection | null): boolean {
  return (
    moment.kind === 'misses' &&
    moment.misses.some(
      miss =>
        (selected?.kind === 'entry' && miss.entry === selected.id) ||
        (selected?.kind === 'miss' && miss.id === selected.id)
    )
  );
}

function OrderChoice({
  order,
  onChange
}: {
  order: Order;
  onChange: (order: Order) => void;
}): React.JSX.Element {
  const trans = useTrans();
  const choices: [Order, string, string][] = [
    ['cost', trans.__('Cost'), trans.__('What costs most first')],
    ['time', trans.__('Newest'), trans.__('The newest first')]
  ];
  return (
    <span
      className="jp-JitMagic-choice"
      role="group"
      aria-label={trans.__('Order of the misses')}
    >
      {choices.map(([value, label, hint]) => (
        <button
          key={value}
          type="button"
          title={hint}
          aria-pressed={order === value}
          onClick={() => onChange(value)}
        >
          {label}
        </button>
      ))}
    </span>
  );
}

function Miss({
  group,
  stop,
  state,
  actions,
  onSelect
}: {
  group: IMissGroup;
  stop: number;
  state: IPanelState;
  actions: IPanelActions;
  onSelect: (selection: Selection) => void;
}): React.JSX.Element {
  const trans = useTrans();
  const miss = group.misses[group.misses.length - 1];
  const name = state.functions.get(miss.function)?.name ?? '';
  const times = group.misses.length;
  const whole = causeSentences(trans, miss.causes).join('\n');
  return (
    <>
      <button
        type="button"
        className="jp-JitMagic-missName"
        tabIndex={stop}
        title={`${name}\n${whole}`}
        disabled={!state.entries.has(miss.entry)}
        onClick={() => onSelect({ kind: 'entry', id: miss.entry })}
      >
        <Name name={name} />
        {times > 1 && (
          <span
            className="jp-JitMagic-count"
            title={trans.__('%1 misses for this reason', times)}
          >
            ×{count(times)}
          </span>
        )}
      </button>
      <span className="jp-JitMagic-missCost">{duration(group.cost_s)}</span>
      <span className="jp-JitMagic-missWhy" title={whole}>
        {group.values.length > 2 ? (
          <Path cause={miss.causes[0]} values={group.values} />
        ) : (
          miss.causes.map((cause, index) => (
            <CauseView key={index} cause={cause} />
          ))
        )}
      </span>
      <Where place={miss.call_site} actions={actions} stop={stop} />
      <span className="jp-JitMagic-missTime">{clock(miss.started_s)}</span>
    </>
  );
}

/** The values that an argument went through, the newest first. */
function Path({
  cause,
  values
}: {
  cause: ICauseRow;
  values: readonly string[];
}): React.JSX.Element {
  const trans = useTrans();
  const earlier = values
    .slice(-VALUES, -1)
    .reverse()
    .map(value => shortened(value));
  if (values.length > VALUES) {
    earlier.push('…');
  }
  return (
    <>
      <span className="jp-JitMagic-causeWord">
        {causeWord(trans, cause.cause)}
      </span>{' '}
      <Difference
        argument={cause.argument}
        now={values[values.length - 1]}
        before={earlier.join(', ')}
      />
    </>
  );
}

function CauseView({ cause }: { cause: ICauseRow }): React.JSX.Element {
  const trans = useTrans();
  return (
    <span className="jp-JitMagic-cause">
      <span className="jp-JitMagic-causeWord">
        {causeWord(trans, cause.cause)}
      </span>
      {(cause.before || cause.now) && (
        <>
          {' '}
          <Difference {...cause} />
        </>
      )}
    </span>
  );
}

/** In JAX's phrase, the values in the font of code: `n now 8 and before 5`. */
function Difference({
  argument,
  now,
  before
}: {
  argument: string;
  now: string;
  before: string;
}): React.JSX.Element {
  const trans = useTrans();
  // the places of the values in the user's language
  const parts = trans.__('now %1 and before %2', '\0', '\0\0').split(/(\0+)/);
  return (
    <>
      {argument && (
        <>
          <span className="jp-JitMagic-change">{shortened(argument)}</span>{' '}
        </>
      )}
      {parts.map((part, index) =>
        part.startsWith('\0') ? (
          <span key={index} className="jp-JitMagic-change">
            {shortened(part === '\0' ? now : before) || '–'}
          </span>
        ) : (
          part
        )
      )}
    </>
  );
}
