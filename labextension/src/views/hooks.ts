import * as React from 'react';

/** The width of an element in pixels, kept up to date; 0 before the first layout. */
export function useWidth(ref: React.RefObject<HTMLElement | null>): number {
  const [width, setWidth] = React.useState(0);
  React.useLayoutEffect(() => {
    const node = ref.current;
    if (!node) {
      return;
    }
    setWidth(node.clientWidth);
    const observer = new ResizeObserver(() => setWidth(node.clientWidth));
    observer.observe(node);
    return () => observer.disconnect();
  }, [ref]);
  return width;
}

/** Draw again every `milliseconds` while `running`; returns the moment on `performance.now`'s clock. */
export function useMoment(running: boolean, milliseconds: number): number {
  const [moment, setMoment] = React.useState(() => performance.now());
  React.useEffect(() => {
    if (!running) {
      return;
    }
    const timer = setInterval(() => setMoment(performance.now()), milliseconds);
    return () => clearInterval(timer);
  }, [running, milliseconds]);
  return moment;
}

/** True once `waiting` has been true for `milliseconds`: short waits are not worth a word. */
export function useSlow(waiting: boolean, milliseconds: number): boolean {
  const [slow, setSlow] = React.useState(false);
  React.useEffect(() => {
    if (!waiting) {
      return;
    }
    const timer = setTimeout(() => setSlow(true), milliseconds);
    return () => {
      clearTimeout(timer);
      setSlow(false);
    };
  }, [waiting, milliseconds]);
  return slow && waiting;
}

/** A function that stays the same object and does what the latest one does: rows that take it need not be drawn again. */
export function useLatest<Arguments extends unknown[]>(
  latest: (...args: Arguments) => void
): (...args: Arguments) => void {
  const current = React.useRef(latest);
  React.useLayoutEffect(() => {
    current.current = latest;
  });
  return React.useCallback(
    (...args: Arguments) => current.current(...args),
    []
  );
}
