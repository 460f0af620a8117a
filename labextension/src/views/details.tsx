/** The section at the foot of the panel: what was chosen, closely. Escape closes it. */
import { closeIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { useTrans } from './context';
import { Name } from './name';

export function Details({
  height,
  title,
  label,
  onClose,
  children
}: {
  /** In pixels; null: its part of the panel. */
  height: number | null;
  title: string;
  label: string;
  onClose: () => void;
  children: React.ReactNode;
}): React.JSX.Element {
  const trans = useTrans();
  return (
    <section
      className="jp-JitMagic-details"
      aria-label={label}
      style={height === null ? undefined : { flex: `0 0 ${height}px` }}
      onKeyDown={event => {
        if (event.key === 'Escape') {
          event.stopPropagation();
          onClose();
        }
      }}
    >
      <h3 className="jp-JitMagic-sectionHead">
        <Name name={title} title={title} />
        <button
          type="button"
          className="jp-JitMagic-close"
          title={trans.__('Close')}
          aria-label={trans.__('Close')}
          onClick={onClose}
        >
          <closeIcon.react tag="span" width="14px" height="14px" />
        </button>
      </h3>
      <div
        className="jp-JitMagic-detailsBody"
        role="group"
        aria-label={label}
        tabIndex={0}
      >
        {children}
      </div>
    </section>
  );
}
