/** The heading of a section that can be folded: a button that says whether it is open, and what stands beside it. */
import { caretDownIcon, caretRightIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

export function FoldHead({
  open,
  onOpen,
  controls,
  label,
  title,
  children
}: {
  open: boolean;
  onOpen: (open: boolean) => void;
  /** The id of what is folded. */
  controls: string;
  /** What stands on the button. */
  label: React.ReactNode;
  title?: string;
  /** Beside the button. */
  children?: React.ReactNode;
}): React.JSX.Element {
  const Caret = open ? caretDownIcon : caretRightIcon;
  return (
    <h3 className="jp-JitMagic-sectionHead">
      <button
        type="button"
        aria-expanded={open}
        aria-controls={controls}
        title={title}
        onClick={() => onOpen(!open)}
      >
        <Caret.react tag="span" width="14px" height="14px" />
        {label}
      </button>
      {children}
    </h3>
  );
}
