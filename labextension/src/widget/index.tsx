/** The panel as an anywidget: the model and the views of JupyterLab's panel, drawn below a cell. */
import type { AnyModel, RenderProps } from '@anywidget/types';
import * as React from 'react';
import { createRoot } from 'react-dom/client';

import { keepCures } from '../curing';
import { PanelModel } from '../model';
import { questions } from '../questions';
import type { IPanelActions } from '../tokens';
import { App } from '../views/app';
import { useWidth } from '../views/hooks';
import { dress } from './dress';
import { nullTranslator } from './english';
import { WidgetLink } from './link';

/** From this width on the parts stand side by side. */
const WIDE_PX = 680;

const trans = nullTranslator.load();

interface ITraits {
  height: number;
  /** HTML of the Python package's own making: what was recorded when the widget was shown. */
  picture: string;
}

function render({ model, el }: RenderProps<ITraits>): () => void {
  const store = new PanelModel();
  const link = new WidgetLink(model as unknown as AnyModel, store);
  const cures = keepCures(store, link.request);
  const place = document.createElement('div');
  place.className = 'jp-JitMagic jp-JitMagic-widget';
  place.setAttribute('role', 'region');
  place.setAttribute('aria-label', trans.__('JIT caches'));
  // the notebook has keys of its own: what is typed here is meant for the panel
  place.dataset.lmSuppressShortcuts = 'true';
  const tall = (): void => {
    place.style.height = `${model.get('height')}px`;
  };
  tall();
  model.on('change:height', tall);
  el.append(place);
  const undress = dress(place);
  const root = createRoot(place);
  root.render(
    <Panel
      store={store}
      actions={actionsOf(store, link)}
      picture={model.get('picture')}
    />
  );
  return () => {
    model.off('change:height', tall);
    undress();
    cures.dispose();
    link.dispose();
    root.unmount();
    place.remove();
  };
}

/** What can be done from below a cell. */
function actionsOf(store: PanelModel, link: WidgetLink): IPanelActions {
  return {
    ...questions(link.request),
    resume: async () => {
      await link.request('pause', { on: false });
    },
    view: part => store.setView(part),
    select: selection => store.select(selection),
    expand: (functions, open) => store.expand(functions, open),
    copy,
    leave: () => (document.activeElement as HTMLElement | null)?.blur()
  };
}

async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // a page inside another one may not be allowed to: by way of a selection it is
    const area = document.createElement('textarea');
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand('copy');
    area.remove();
  }
}

function Panel({
  store,
  actions,
  picture
}: {
  store: PanelModel;
  actions: IPanelActions;
  picture: string;
}): React.JSX.Element {
  const frame = React.useRef<HTMLDivElement>(null);
  const width = useWidth(frame);
  const { link, epoch } = React.useSyncExternalStore(
    store.subscribe,
    () => store.state
  );
  // a page that was exported has the widget and no kernel
  const alone = epoch === '' && (link === 'waiting' || link === 'lost');
  if (alone && picture) {
    return (
      <div className="jp-JitMagic-widgetFrame" ref={frame}>
        <p className="jp-JitMagic-standing">
          {trans.__(
            'No kernel has answered yet. What was recorded when the cell ran:'
          )}
        </p>
        <div
          className="jp-JitMagic-picture"
          dangerouslySetInnerHTML={{ __html: picture }}
        />
      </div>
    );
  }
  return (
    <div className="jp-JitMagic-widgetFrame" ref={frame}>
      <App
        wide={width >= WIDE_PX}
        store={store}
        actions={actions}
        trans={trans}
      />
    </div>
  );
}

export default { render };
