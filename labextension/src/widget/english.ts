/** What `@jupyterlab/translation` is to the panel, where there is no JupyterLab: its own words, in English. */
import type { TranslationBundle } from '@jupyterlab/translation';

type Word = string | number;

function filled(text: string, ...words: unknown[]): string {
  return text.replace(/%(\d+)/g, (whole, place) => {
    const word = words[Number(place) - 1] as Word | undefined;
    return word === undefined ? whole : String(word);
  });
}

function counted(
  one: string,
  many: string,
  count: number,
  ...words: unknown[]
): string {
  return filled(count === 1 ? one : many, count, ...words);
}

const english = {
  __: filled,
  gettext: filled,
  _n: counted,
  ngettext: counted,
  _p: (_context, text, ...words) => filled(text, ...words),
  pgettext: (_context, text, ...words) => filled(text, ...words),
  _np: (_context, one, many, count, ...words) =>
    counted(one, many, count, ...words),
  npgettext: (_context, one, many, count, ...words) =>
    counted(one, many, count, ...words)
} satisfies Partial<TranslationBundle>;

/** The views use no other words of a bundle. */
export const nullTranslator = {
  load: (): TranslationBundle => english as unknown as TranslationBundle
};
