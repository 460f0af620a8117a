import * as React from 'react';

import type { IPanelActions, IPanelState } from '../tokens';
import { IdPrefix } from './context';

/** How the user has arranged one thing of this view (a section open, a height, an order), as long as it is of the right kind. */
export function useLaidOut<Value extends boolean | number | string | null>(
  state: IPanelState,
  actions: IPanelActions,
  name: string,
  atFirst: Value
): [Value, (value: Value) => void] {
  const key = `${React.useContext(IdPrefix)}.${name}`;
  const { layout } = state;
  const kept = layout[key];
  const value =
    kept === undefined ||
    (atFirst !== null && typeof kept !== typeof atFirst) ||
    (atFirst === null && kept !== null && typeof kept !== 'number')
      ? atFirst
      : (kept as Value);
  return [
    value,
    changed => actions.view({ layout: { ...layout, [key]: changed } })
  ];
}
