import * as React from 'react';

import type { IPlace } from '../protocol';
import type { IPanelActions } from '../tokens';
import { useTrans } from './context';
import { placeText } from './words';

/** The line of a call; a link where there is something to go to. */
export function Where({
  place,
  actions,
  stop = 0
}: {
  place: IPlace | null;
  actions: IPanelActions;
  /** Whether it is a stop of the Tab key (0) or not (-1). */
  stop?: number;
}): React.JSX.Element {
  const trans = useTrans();
  if (place === null) {
    return <span />;
  }
  const text = placeText(trans, place);
  if (!actions.goTo) {
    return <span className="jp-JitMagic-missWhere">{text}</span>;
  }
  return (
    <span className="jp-JitMagic-missWhere">
      <button
        type="button"
        className="jp-JitMagic-link"
        tabIndex={stop}
        title={trans.__('Go to %1', text)}
        onClick={() => void actions.goTo?.(place)}
      >
        {text}
      </button>
    </span>
  );
}
