/** The kernel's words in the user's language; the same words as in %jitstats. */
import type { TranslationBundle } from '@jupyterlab/translation';

import type { ICauseRow, IPlace } from '../protocol';
import type { ColumnId, LinkState } from '../tokens';

export function causeWord(trans: TranslationBundle, cause: string): string {
  switch (cause) {
    case 'first_call':
      return trans.__('first call');
    case 'shape':
      return trans.__('shape');
    case 'dtype':
      return trans.__('dtype');
    case 'weak_type':
      return trans.__('weak type');
    case 'static_value':
      return trans.__('static value');
    case 'static_identity':
      return trans.__('static identity');
    case 'pytree_structure':
      return trans.__('pytree structure');
    case 'calling_convention':
      return trans.__('calling convention');
    case 'new_function':
      return trans.__('new function');
    case 'device':
      return trans.__('device');
    case 'sharding':
      return trans.__('sharding');
    case 'config':
      return trans.__('config');
    case 'cleared':
      return trans.__('cleared');
    case 'unknown':
      return trans.__('unknown');
    default:
      return cause;
  }
}

/** One sentence in JAX's phrase. */
export function causeSentence(
  trans: TranslationBundle,
  cause: ICauseRow
): string {
  const { argument, before, now } = cause;
  const word = causeWord(trans, cause.cause);
  if (!before && !now) {
    return argument ? `${argument}: ${word}` : word;
  }
  const what = argument || word;
  return trans.__(
    '%1 is %2 now and was %3 before (%4)',
    what,
    now || '–',
    before || '–',
    word
  );
}

/** `cell [7] line 3`, or the file's own name and the line. */
export function placeText(
  trans: TranslationBundle,
  place: IPlace | null
): string {
  if (place === null) {
    return '';
  }
  return place.cell !== null
    ? trans.__('cell [%1] line %2', place.cell, place.line)
    : trans.__('%1 line %2', place.file.split(/[\\/]/).pop(), place.line);
}

/** How things stand with the kernel, where that needs a word; else empty. */
export function linkWords(trans: TranslationBundle, link: LinkState): string {
  switch (link) {
    case 'connecting':
      return trans.__('Connecting to the kernel…');
    case 'waiting':
      return trans.__('Waiting for the running cell to end');
    case 'restarting':
      return trans.__('Kernel restarting…');
    case 'lost':
      return trans.__('Connection to the kernel lost');
    case 'dead':
      return trans.__('The kernel is dead');
    default:
      return '';
  }
}

export function phaseWord(trans: TranslationBundle, phase: string): string {
  switch (phase) {
    case 'trace':
      return trans.__('tracing');
    case 'lower':
      return trans.__('lowering');
    case 'compile':
      return trans.__('compiling');
    default:
      return phase;
  }
}

/** A column's heading, and what it means. */
export function columnWords(
  trans: TranslationBundle,
  column: ColumnId
): [label: string, hint: string] {
  switch (column) {
    case 'name':
      return [
        trans.__('Function'),
        trans.__('Function, or what tells the entry apart')
      ];
    case 'entries':
      return [trans.__('Entries'), trans.__('Living cache entries')];
    case 'hits':
      return [trans.__('Hits'), trans.__('Calls that found their entry')];
    case 'misses':
      return [
        trans.__('Misses'),
        trans.__('Calls that traced, lowered or compiled')
      ];
    case 'rate':
      return [trans.__('Hit rate'), trans.__('Hits of hits and misses')];
    case 'compile':
      return [
        trans.__('Compile'),
        trans.__('Time in the backend (XLA) compile, in all')
      ];
    case 'share':
      return [trans.__('Share'), trans.__('Part of all compile time')];
    case 'execute':
      return [
        trans.__('Execute'),
        trans.__(
          'Median execution where it was measured; for a function the range over its entries'
        )
      ];
    case 'memory':
      return [
        trans.__('Memory'),
        trans.__('Code and temporaries of the executables')
      ];
    case 'used':
      return [trans.__('Last used'), trans.__('Time of the last call')];
  }
}
