import type { TranslationBundle } from '@jupyterlab/translation';
import { nullTranslator } from '@jupyterlab/translation';
import * as React from 'react';

/** JupyterLab's translator for every text of the panel. */
export const Translation = React.createContext<TranslationBundle>(
  nullTranslator.load('jupyter_jitmagic')
);

export function useTrans(): TranslationBundle {
  return React.useContext(Translation);
}
