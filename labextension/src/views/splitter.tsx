/** The border above a section: dragged, or moved with the arrow keys, it makes the section higher or lower. */
import * as React from 'react';

import { useTrans } from './context';

const STEP = 24;
const LEAST = 60;

export function Splitter({
  label,
  height,
  onHeight
}: {
  label: string;
  /** Of the section below, in pixels; null while it finds its own. */
  height: number | null;
  /** null: back to its own. */
  onHeight: (height: number | null) => void;
}): React.JSX.Element {
  const trans = useTrans();
  const bar = React.useRef<HTMLDivElement>(null);
  const drag = React.useRef<{ from: number; height: number } | null>(null);
  const section = (): HTMLElement | null =>
    bar.current?.nextElementSibling as HTMLElement | null;
  const room = (): number =>
    Math.max(LEAST, (bar.current?.parentElement?.clientHeight ?? 0) - LEAST);
  const set = (wanted: number): void =>
    onHeight(Math.round(Math.max(LEAST, Math.min(room(), wanted))));
  return (
    <div
      ref={bar}
      className="jp-JitMagic-splitter"
      role="separator"
      aria-orientation="horizontal"
      aria-label={label}
      aria-valuemin={LEAST}
      aria-valuenow={height ?? LEAST}
      aria-valuetext={
        height === null ? trans.__('as high as needed') : `${height} px`
      }
      title={trans.__('Drag, or use the arrow keys; double click resets')}
      tabIndex={0}
      onPointerDown={event => {
        if (event.button === 0) {
          event.preventDefault();
          event.currentTarget.setPointerCapture(event.pointerId);
          drag.current = {
            from: event.clientY,
            height: section()?.offsetHeight ?? 0
          };
        }
      }}
      onPointerMove={event => {
        if (drag.current) {
          set(drag.current.height + drag.current.from - event.clientY);
        }
      }}
      onPointerUp={() => {
        drag.current = null;
      }}
      onPointerCancel={() => {
        drag.current = null;
      }}
      onDoubleClick={() => onHeight(null)}
      onKeyDown={event => {
        const by = { ArrowUp: STEP, ArrowDown: -STEP }[event.key];
        if (by) {
          set((section()?.offsetHeight ?? 0) + by);
        } else if (event.key === 'Home') {
          onHeight(null);
        } else {
          return;
        }
        event.preventDefault();
        event.stopPropagation();
      }}
    />
  );
}
