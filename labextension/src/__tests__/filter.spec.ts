import { describe, expect, it } from 'vitest';

import { fits, hasWords, parseFilter } from '../filter';

const cost = (text: string, seconds: number): boolean =>
  fits(parseFilter(text), 'f', seconds, () => []);

describe('parseFilter', () => {
  it.each([
    ['cost:>1s', 1.1, true],
    ['cost:>1s', 1, false],
    ['cost:1', 1, true],
    ['cost:<=200ms', 0.2, true],
    ['cost:<50us', 0.1, false],
    ['cost:>2min', 121, true],
    ['cost:>1s cost:<2s', 3, false]
  ])('%s of %s s: %s', (text, seconds, passes) => {
    expect(cost(text, seconds)).toBe(passes);
  });

  it('waits for a term that is being typed, and names what it does not know', () => {
    for (const text of ['cost:', 'cost:>', 'fn:', 'cause:']) {
      expect(cost(text, 0)).toBe(true);
      expect(parseFilter(text).unknown).toEqual([]);
    }
    expect(parseFilter('cost:much fn:a').unknown).toEqual(['cost:much']);
  });

  it('wants every word, in any of the texts', () => {
    const filter = parseFilter('Train f32[96');
    expect(hasWords(filter, 'train_step', 'x f32[96,64]')).toBe(true);
    expect(hasWords(filter, 'train_step')).toBe(false);
  });

  it('knows causes as they are read and as they are written', () => {
    for (const text of ['cause:static_value', 'cause:value']) {
      expect(fits(parseFilter(text), 'f', 1, () => ['static_value'])).toBe(
        true
      );
    }
  });
});
