/** The kernel's words in the user's language; causes read as in %jitstats (`base/causes.py`). */
import type { TranslationBundle } from '@jupyterlab/translation';

import { UNKNOWN } from '../format';
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
      return cause.replace(/_/g, ' ');
  }
}

/** Each cause in JAX's phrase. What a weak type differs in says shape and dtype, too. */
export function causeSentences(
  trans: TranslationBundle,
  causes: readonly ICauseRow[]
): string[] {
  const weak = new Set(
    causes.filter(row => row.cause === 'weak_type').map(row => row.argument)
  );
  const sentences = causes
    .filter(
      row =>
        !weak.has(row.argument) ||
        (row.cause !== 'shape' && row.cause !== 'dtype')
    )
    .map(row => causeSentence(trans, row));
  return [...new Set(sentences)];
}

function causeSentence(trans: TranslationBundle, row: ICauseRow): string {
  const { cause, argument, before, now } = row;
  switch (cause) {
    case 'first_call':
      return now ? trans.__('first call %1', now) : trans.__('first call');
    case 'static_value':
      return trans.__(
        '%1 is %2 now and was %3 before (static)',
        argument,
        now || UNKNOWN,
        before || UNKNOWN
      );
    case 'static_identity':
      return trans.__(
        '%1 is another %2 now: it looks the same but hashes by identity (static)',
        argument,
        before
      );
    case 'calling_convention':
      return nowAndBefore(
        trans,
        argument,
        conventionWords(trans, now),
        conventionWords(trans, before)
      );
    case 'weak_type':
      return trans.__(
        '%1 is %2 now and was %3 before (a Python number is weak)',
        argument,
        weakText(trans, now),
        weakText(trans, before)
      );
    case 'new_function':
      return now
        ? trans.__('the function itself was created again (not kept: %1)', now)
        : trans.__('the function itself was created again');
    case 'device':
      return nowAndBefore(
        trans,
        argument,
        deviceWords(trans, now),
        deviceWords(trans, before)
      );
    case 'cleared':
      return trans.__('its cache was cleared');
    case 'unknown':
      return trans.__('why is unknown');
    default:
      return nowAndBefore(trans, argument, now, before);
  }
}

function nowAndBefore(
  trans: TranslationBundle,
  argument: string,
  now: string,
  before: string
): string {
  return trans.__(
    '%1 is %2 now and was %3 before',
    argument,
    now || UNKNOWN,
    before || UNKNOWN
  );
}

function conventionWords(trans: TranslationBundle, how: string): string {
  switch (how) {
    case 'default':
      return trans.__('left to its default');
    case 'keyword':
      return trans.__('passed by keyword');
    case 'positional':
      return trans.__('passed by position');
    default:
      return how;
  }
}

/** JAX's `f32[]{weak_type=True}` in words. */
function weakText(trans: TranslationBundle, aval: string): string {
  const short = aval.split('{')[0];
  return aval.includes('weak_type=True') ? trans.__('weak %1', short) : short;
}

function deviceWords(trans: TranslationBundle, device: string): string {
  return device === 'uncommitted'
    ? trans.__('uncommitted')
    : trans.__('on %1', device);
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

/** A phase as a word of a legend or a table. */
export function phaseNoun(trans: TranslationBundle, phase: string): string {
  switch (phase) {
    case 'trace':
      return trans.__('trace');
    case 'lower':
      return trans.__('lower');
    case 'compile':
      return trans.__('compile');
    case 'execute':
      return trans.__('execute');
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
      return [
        trans.__('Hit rate'),
        trans.__('Share of hits among hits and misses')
      ];
    case 'cost':
      return [
        trans.__('Cost'),
        trans.__('Time spent tracing, lowering and compiling')
      ];
    case 'compile':
      return [
        trans.__('Compile'),
        trans.__('Total time in the backend (XLA) compiler')
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
        trans.__(
          'Code and temporaries of the executables; ≥ where not all are known'
        )
      ];
    case 'used':
      return [trans.__('Last used'), trans.__('Time of the last call')];
  }
}
