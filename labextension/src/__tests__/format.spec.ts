import { describe, expect, it } from 'vitest';

import { bytes, count, duration, durations, percent } from '../format';

describe('numbers as a person reads them', () => {
  it.each([
    [null, '–'],
    [NaN, '–'],
    [0, '0 s'],
    [3e-9, '3 ns'],
    [7.9e-6, '7.9 µs'],
    [0.0009999, '1.0 ms'],
    [0.038, '38 ms'],
    [0.9999, '1.00 s'],
    [3.4, '3.40 s'],
    [59.96, '1 min 0 s'],
    [3725, '1 h 2 min']
  ])('duration %s is %s', (seconds, text) => {
    expect(duration(seconds)).toBe(text);
  });

  it('a range names its unit once', () => {
    expect(durations([7.9e-6, 8.1e-6])).toBe('7.9–8.1 µs');
    expect(durations([7.9e-6, 1e-3])).toBe('7.9 µs – 1.0 ms');
    expect(durations([7.9e-6, 7.91e-6])).toBe('7.9 µs');
    expect(durations(null)).toBe('–');
  });

  it.each([
    [0, '0'],
    [9999, '9999'],
    [120_032, '120k'],
    [12_345, '12k'],
    [1_500_000, '1.5M']
  ])('count %s is %s', (value, text) => {
    expect(count(value)).toBe(text);
  });

  it.each([
    [null, '–'],
    [12, '12 B'],
    [12_345, '12 kB'],
    [1_200_000, '1.2 MB']
  ])('bytes %s is %s', (value, text) => {
    expect(bytes(value)).toBe(text);
  });

  it('percent', () => {
    expect(percent(0.667)).toBe('67 %');
    expect(percent(null)).toBe('–');
  });
});
