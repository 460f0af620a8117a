/** The timeline: misses and advice, newest first. */
import { caretDownIcon, caretRightIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { clock, count, duration } from '../format';
import { type IAdvice, type IMissGroup, timeline } from '../groups';
import type { ICauseRow, IPlace } from '../protocol';
import type { IPanelActions, IPanelState, Selection } from '../tokens';
import { useTrans } from './context';
import { useWidth } from './hooks';
import { useRowWindow } from './window';
import { causeSentence, causeWord, placeText } from './words';

/** Two lines, three where the panel is narrow. */
const ROW_HEIGHTS = { wide: 42, narrow: 58 };
const NARROW = 340;
/** So many of the values that an argument went through are shown. */
const VALUES = 5;

export function Misses({
  state,
  actions,
  selected,
  onSelect
}: {
  state: IPanelState;
  actions: IPanelActions;
  selected: Selection | null;
  onSelect: (selection: Selection) => void;
}): React.JSX.Element {
  const trans = useTrans();
  const id = React.useId();
  const [open, setOpen] = React.useState(true);
  const section = React.useRef<HTMLElement>(null);
  const narrow = useWidth(section) < NARROW;
  const rowHeight = narrow ? ROW_HEIGHTS.narrow : ROW_HEIGHTS.wide;
  const { misses, diagnoses } = state;
  const moments = React.useMemo(
    () => timeline({ misses, diagnoses }),
    [misses, diagnoses]
  );
  const { attach, height, indices } = useRowWindow(
    open ? moments.length : 0,
    rowHeight
  );
  const Caret = open ? caretDownIcon : caretRightIcon;
  return (
    <section
      className="jp-JitMagic-misses"
      data-open={open ? true : undefined}
      ref={section}
    >
      <h3 className="jp-JitMagic-sectionHead">
        <button
          type="button"
          aria-expanded={open}
          aria-controls={id}
          onClick={() => setOpen(!open)}
        >
          <Caret.react tag="span" width="14px" height="14px" />
          {trans.__('Misses')}
          {(misses.length > 0 || diagnoses.length === 0) && (
            <span className="jp-JitMagic-count">{count(misses.length)}</span>
          )}
        </button>
      </h3>
      <div
        id={id}
        className="jp-JitMagic-missList"
        ref={attach}
        tabIndex={0}
        role="group"
        aria-label={trans.__('Misses, newest first')}
        hidden={!open}
      >
        {moments.length === 0 && (
          <p className="jp-JitMagic-nothing">{trans.__('No misses.')}</p>
        )}
        <ul style={{ height }}>
          {indices.map(index => {
            const moment = moments[index];
            const chosen =
              moment.kind === 'advice'
                ? selected?.kind === 'advice' && selected.id === moment.row.id
                : selected?.kind === 'entry' &&
                  moment.misses.some(miss => miss.entry === selected.id);
            return (
              <li
                key={moment.key}
                className="jp-JitMagic-miss"
                data-kind={moment.kind}
                data-narrow={narrow ? true : undefined}
                data-selected={chosen ? true : undefined}
                style={{
                  height: rowHeight,
                  transform: `translateY(${index * rowHeight}px)`
                }}
                aria-posinset={index + 1}
                aria-setsize={moments.length}
              >
                {moment.kind === 'advice' ? (
                  <Advice
                    advice={moment}
                    onSelect={() =>
                      onSelect({ kind: 'advice', id: moment.row.id })
                    }
                  />
                ) : (
                  <Miss
                    group={moment}
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

function Miss({
  group,
  state,
  actions,
  onSelect
}: {
  group: IMissGroup;
  state: IPanelState;
  actions: IPanelActions;
  onSelect: (selection: Selection) => void;
}): React.JSX.Element {
  const trans = useTrans();
  const miss = group.misses[group.misses.length - 1];
  const name = state.functions.get(miss.function)?.name ?? '';
  const times = group.misses.length;
  const whole = miss.causes
    .map(cause => causeSentence(trans, cause))
    .join('\n');
  return (
    <>
      <button
        type="button"
        className="jp-JitMagic-missName"
        title={whole}
        disabled={!state.entries.has(miss.entry)}
        onClick={() => onSelect({ kind: 'entry', id: miss.entry })}
      >
        <span className="jp-JitMagic-fn">{name}</span>
        {times > 1 && (
          <span
            className="jp-JitMagic-count"
            title={trans.__('%1 misses in a row for this reason', times)}
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
      <Where place={miss.call_site} actions={actions} />
      <span className="jp-JitMagic-missTime">{clock(miss.started_s)}</span>
    </>
  );
}

function Advice({
  advice,
  onSelect
}: {
  advice: IAdvice;
  onSelect: () => void;
}): React.JSX.Element {
  const trans = useTrans();
  const { row } = advice;
  return (
    <>
      <button
        type="button"
        className="jp-JitMagic-missName"
        title={row.reason}
        onClick={onSelect}
      >
        <span className="jp-JitMagic-fn">{row.function}</span>
      </button>
      <span className="jp-JitMagic-missCost">
        <button type="button" className="jp-JitMagic-link" onClick={onSelect}>
          {trans.__('See advice')}
        </button>
      </span>
      <span className="jp-JitMagic-missWhy" title={row.reason}>
        {trans.__('cannot be traced')}
      </span>
      <span />
      <span className="jp-JitMagic-missTime">{clock(row.started_s)}</span>
    </>
  );
}

/** The line of a call; a link where there is something to go to. */
export function Where({
  place,
  actions
}: {
  place: IPlace | null;
  actions: IPanelActions;
}): React.JSX.Element {
  const trans = useTrans();
  if (place === null) {
    return <span />;
  }
  const text = placeText(trans, place);
  return (
    <span className="jp-JitMagic-missWhere">
      <button
        type="button"
        className="jp-JitMagic-link"
        title={trans.__('Go to %1', text)}
        onClick={() => void actions.goTo(place)}
      >
        {text}
      </button>
    </span>
  );
}

function Path({
  cause,
  values
}: {
  cause: ICauseRow;
  values: readonly string[];
}): React.JSX.Element {
  const trans = useTrans();
  const shown = values.slice(-VALUES);
  return (
    <>
      <span className="jp-JitMagic-change">
        {cause.argument && `${cause.argument} `}
        {shown.length < values.length && '… → '}
        {shown.join(' → ')}{' '}
      </span>
      <span className="jp-JitMagic-causeWord">
        {causeWord(trans, cause.cause)}
      </span>
    </>
  );
}

function CauseView({ cause }: { cause: ICauseRow }): React.JSX.Element {
  const trans = useTrans();
  return (
    <span className="jp-JitMagic-cause">
      {(cause.before || cause.now) && (
        <span className="jp-JitMagic-change">
          {cause.argument && `${cause.argument} `}
          {cause.before || '–'} → {cause.now || '–'}{' '}
        </span>
      )}
      <span className="jp-JitMagic-causeWord">
        {causeWord(trans, cause.cause)}
      </span>
    </span>
  );
}
