import * as React from 'react';

import { useTrans } from './context';

/** A change, a line at a time; a sign at each line says what the colour says. */
export function Diff({ text }: { text: string }): React.JSX.Element {
  const trans = useTrans();
  return (
    <pre
      className="jp-JitMagic-code jp-JitMagic-diff"
      tabIndex={0}
      role="group"
      aria-label={trans.__('The change')}
    >
      {text.split('\n').map((line, index) => (
        <span key={index} data-sign={/^[-+]/.test(line) ? line[0] : undefined}>
          {line || ' '}
        </span>
      ))}
    </pre>
  );
}
