import { nullTranslator } from '@jupyterlab/translation';
import { describe, expect, it } from 'vitest';

import { causeSentences, causeWord } from '../views/words';
import { golden } from './golden';

const trans = nullTranslator.load('jupyterlab');
const { causes, misses } = golden('causes');

describe('causes of a miss', () => {
  it('each has the word and the sentence of %jitstats', () => {
    expect(causes.length).toBeGreaterThan(0);
    for (const { word, sentence, ...row } of causes) {
      expect(causeWord(trans, row.cause)).toBe(word);
      expect(causeSentences(trans, [row])).toEqual([sentence]);
    }
  });

  it('several of one miss do not say a thing twice', () => {
    for (const miss of misses) {
      expect(causeSentences(trans, miss.causes)).toEqual(miss.sentences);
    }
  });
});
