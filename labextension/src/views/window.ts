/** Of a long list of rows of one height, those that can be seen. */
import * as React from 'react';
import { flushSync } from 'react-dom';

/** So many rows beyond both edges are drawn, for the frames in which the browser scrolls ahead of us. */
const BEYOND = 8;

export interface IRowWindow {
  /** For the element that scrolls. */
  readonly attach: (node: HTMLElement | null) => void;
  /** The height of all rows, seen or not. */
  readonly height: number;
  /** The indices to draw. */
  readonly indices: readonly number[];
  /** So many rows fit into what is seen. */
  readonly page: number;
  /** Scroll as little as needed to show a row. */
  readonly scrollTo: (index: number) => void;
}

interface ISeen {
  readonly first: number;
  readonly rows: number;
}

/** `kept`: a row that stays in sight when the height of the list changes, if it was in sight; -1 for none. */
export function useRowWindow(
  count: number,
  rowHeight: number,
  kept = -1
): IRowWindow {
  const keep = React.useRef(kept);
  React.useLayoutEffect(() => {
    keep.current = kept;
  });
  const [node, attach] = React.useState<HTMLElement | null>(null);
  const [seen, setSeen] = React.useState<ISeen>({ first: 0, rows: 0 });
  React.useLayoutEffect(() => {
    if (!node) {
      return;
    }
    const look = (): void => {
      const first = Math.floor(node.scrollTop / rowHeight);
      const rows = Math.ceil(node.clientHeight / rowHeight) + 1;
      setSeen(old =>
        old.first === first && old.rows === rows ? old : { first, rows }
      );
    };
    // a scroll event comes before its frame is painted: drawn at once, no frame shows an empty place
    const onScroll = (): void => flushSync(look);
    look();
    node.addEventListener('scroll', onScroll, { passive: true });
    let before = node.clientHeight;
    const observer = new ResizeObserver(() => {
      const top = keep.current * rowHeight;
      const seen =
        keep.current >= 0 &&
        top >= node.scrollTop &&
        top < node.scrollTop + before;
      before = node.clientHeight;
      if (seen && top + rowHeight > node.scrollTop + before) {
        node.scrollTop = top + rowHeight - before;
      }
      look();
    });
    observer.observe(node);
    return () => {
      node.removeEventListener('scroll', onScroll);
      observer.disconnect();
    };
  }, [node, rowHeight]);
  const top = Math.max(0, Math.min(seen.first, count - seen.rows + 1));
  const first = Math.max(0, top - BEYOND);
  const last = Math.min(count, top + seen.rows + BEYOND);
  const scrollTo = React.useCallback(
    (index: number): void => {
      if (node) {
        const start = index * rowHeight;
        if (start < node.scrollTop) {
          node.scrollTo({ top: start });
        } else if (start + rowHeight > node.scrollTop + node.clientHeight) {
          node.scrollTo({ top: start + rowHeight - node.clientHeight });
        }
      }
    },
    [node, rowHeight]
  );
  return {
    attach,
    height: count * rowHeight,
    indices: Array.from({ length: last - first }, (_, place) => first + place),
    page: Math.max(1, seen.rows - 2),
    scrollTo
  };
}
