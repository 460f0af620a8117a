import * as React from 'react';

import type { IPanelActions } from '../tokens';
import { useTrans } from './context';

/** A button that copies a text, and says that it has until the text is another one. */
export function Copy({
  text,
  label,
  actions
}: {
  text: string;
  label?: string;
  actions: Pick<IPanelActions, 'copy'>;
}): React.JSX.Element {
  const trans = useTrans();
  const [copied, setCopied] = React.useState<string | null>(null);
  return (
    <button
      type="button"
      className="jp-JitMagic-link"
      onClick={() => void actions.copy(text).then(() => setCopied(text))}
    >
      {copied === text ? trans.__('Copied') : (label ?? trans.__('Copy'))}
    </button>
  );
}
