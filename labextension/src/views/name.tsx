import * as React from 'react';

import { shortened } from '../format';

/** So many letters a name keeps at its end. */
const END = 6;

/** A function's name, cut in its middle where there is no room: names that begin alike are told apart by their ends. */
export function Name({
  name,
  title
}: {
  name: string;
  /** A tooltip of its own, where what is around it has none. */
  title?: string;
}): React.JSX.Element {
  const text = shortened(name);
  // letters that are written from the right, or in pairs, stay together
  const parted = text.length > 2 * END && /^[ -~]*$/.test(text);
  return (
    <span
      className="jp-JitMagic-fn"
      title={title}
      data-parted={parted ? true : undefined}
    >
      {parted ? (
        <>
          <span>{text.slice(0, -END)}</span>
          <span>{text.slice(-END)}</span>
        </>
      ) : (
        text
      )}
    </span>
  );
}
