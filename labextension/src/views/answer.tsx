/** A question to the kernel and what comes of it: the wait is told, and one that takes long is told as such and can be put again. */
import * as React from 'react';

import { useTrans } from './context';
import { useSlow } from './hooks';

/** From here on a kernel that has not answered may never do so. */
const LONG_MS = 15_000;

export interface IAnswer<T> {
  /** The answer, the one line that says why there is none, or null while it is awaited. */
  readonly found: T | Error | null;
  /** Put the question again. */
  readonly again: () => void;
}

/** Ask at once, and again when what the question is `about` has changed. An answer that comes late is still taken. */
export function useAnswer<T>(
  ask: () => Promise<T>,
  about: readonly unknown[]
): IAnswer<T> {
  const [found, setFound] = React.useState<T | Error | null>(null);
  const [times, setTimes] = React.useState(0);
  React.useEffect(() => {
    let stale = false;
    ask().then(
      answer => !stale && setFound(() => answer),
      (error: Error) => !stale && setFound(error)
    );
    return () => {
      stale = true;
    };
    // eslint-disable-next-line react-hooks/exhaustive-deps -- what is asked is what it is about
  }, [...about, times]);
  const again = React.useCallback(() => {
    setFound(null);
    setTimes(before => before + 1);
  }, []);
  return { found, again };
}

/** In the place of an answer that is not there. */
export function Unanswered({
  answer: { found, again }
}: {
  answer: IAnswer<unknown>;
}): React.JSX.Element {
  const trans = useTrans();
  const isLong = useSlow(found === null, LONG_MS);
  return (
    <div role="status">
      <p>
        {found instanceof Error
          ? found.message
          : isLong
            ? trans.__(
                'The kernel has not answered yet. One that is deep in other code, or that answers between cells only, does so later.'
              )
            : trans.__('Asking the kernel…')}
      </p>
      {isLong && (
        <button
          type="button"
          className="jp-JitMagic-link"
          onClick={() => again()}
        >
          {trans.__('Ask again')}
        </button>
      )}
    </div>
  );
}
