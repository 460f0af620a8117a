/** The misses, newest first. */
import { caretDownIcon, caretRightIcon } from '@jupyterlab/ui-components';
import { useVirtualizer } from '@tanstack/react-virtual';
import * as React from 'react';

import { clock, count, duration } from '../format';
import type { ICauseRow, IMissRow } from '../protocol';
import type { IPanelState } from '../tokens';
import { useTrans } from './context';
import { useWidth } from './hooks';
import { causeSentence, causeWord, placeText } from './words';

/** Two lines, three where the panel is narrow. */
const ROW_HEIGHTS = { wide: 40, narrow: 56 };
const NARROW = 340;

export function Misses({
  state,
  onSelect
}: {
  state: IPanelState;
  onSelect: (entry: number) => void;
}): React.JSX.Element {
  const trans = useTrans();
  const id = React.useId();
  const [open, setOpen] = React.useState(true);
  const section = React.useRef<HTMLElement>(null);
  const body = React.useRef<HTMLUListElement>(null);
  const narrow = useWidth(section) < NARROW;
  const rowHeight = narrow ? ROW_HEIGHTS.narrow : ROW_HEIGHTS.wide;
  const misses = React.useMemo(
    () => [...state.misses].reverse(),
    [state.misses]
  );
  const virtual = useVirtualizer({
    count: open ? misses.length : 0,
    getScrollElement: () => body.current,
    estimateSize: () => rowHeight,
    getItemKey: index => misses[index].id,
    overscan: 4
  });
  React.useLayoutEffect(() => virtual.measure(), [virtual, rowHeight]);
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
          <span className="jp-JitMagic-count">{count(misses.length)}</span>
        </button>
      </h3>
      {open && (
        <ul
          id={id}
          className="jp-JitMagic-missList"
          ref={body}
          tabIndex={misses.length ? 0 : -1}
          aria-label={trans.__('Misses, newest first')}
        >
          {misses.length === 0 && (
            <li className="jp-JitMagic-nothing">{trans.__('No misses.')}</li>
          )}
          <li
            role="presentation"
            style={{ height: virtual.getTotalSize() }}
            aria-hidden="true"
          />
          {virtual.getVirtualItems().map(place => {
            const miss = misses[place.index];
            return (
              <li
                key={miss.id}
                className="jp-JitMagic-miss"
                style={{
                  height: rowHeight,
                  transform: `translateY(${place.start}px)`
                }}
                aria-posinset={place.index + 1}
                aria-setsize={misses.length}
              >
                <Miss
                  miss={miss}
                  narrow={narrow}
                  name={state.functions.get(miss.function)?.name ?? ''}
                  onSelect={
                    state.entries.has(miss.entry)
                      ? () => onSelect(miss.entry)
                      : undefined
                  }
                />
              </li>
            );
          })}
        </ul>
      )}
    </section>
  );
}

function Miss({
  miss,
  narrow,
  name,
  onSelect
}: {
  miss: IMissRow;
  narrow: boolean;
  name: string;
  onSelect?: () => void;
}): React.JSX.Element {
  const trans = useTrans();
  const whole = miss.causes
    .map(cause => causeSentence(trans, cause))
    .join('\n');
  const site = placeText(trans, miss.call_site);
  return (
    <button
      type="button"
      className="jp-JitMagic-missButton"
      title={[whole, site].filter(Boolean).join('\n')}
      disabled={!onSelect}
      onClick={onSelect}
    >
      <span className="jp-JitMagic-missTop">
        <span className="jp-JitMagic-fn">{name}</span>
        {!narrow && (
          <span className="jp-JitMagic-quiet">{clock(miss.started_s)}</span>
        )}
        <span className="jp-JitMagic-number">{duration(miss.cost_s)}</span>
      </span>
      <span className="jp-JitMagic-missWhy">
        <span className="jp-JitMagic-causes">
          {miss.causes.map((cause, index) => (
            <CauseView key={index} cause={cause} />
          ))}
        </span>
        {!narrow && <span className="jp-JitMagic-quiet">{site}</span>}
      </span>
      {narrow && (
        <span className="jp-JitMagic-missWhere">
          <span>{clock(miss.started_s)}</span>
          <span>{site}</span>
        </span>
      )}
    </button>
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
