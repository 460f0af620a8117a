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

/** Sets the ids of one view apart from those of another on the same page: each is drawn by a React of its own, which counts from one. */
export const IdPrefix = React.createContext('');

export function useDomId(): string {
  return React.useContext(IdPrefix) + React.useId();
}
