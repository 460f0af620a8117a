/** A question that the kernel does not answer: told, put again, and its late answer taken. */
import {
  act,
  cleanup,
  fireEvent,
  render,
  screen
} from '@testing-library/react';
import * as React from 'react';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

import { Unanswered, useAnswer } from '../views/answer';

const settle: ((answer: string | Error) => void)[] = [];

function ask(): Promise<string> {
  return new Promise((resolve, reject) =>
    settle.push(answer =>
      answer instanceof Error ? reject(answer) : resolve(answer)
    )
  );
}

function Question(): React.JSX.Element {
  const answer = useAnswer(ask, []);
  return typeof answer.found === 'string' ? (
    <b>{answer.found}</b>
  ) : (
    <Unanswered answer={answer} />
  );
}

const pass = (milliseconds: number): Promise<void> =>
  act(() => vi.advanceTimersByTimeAsync(milliseconds).then(() => {}));

beforeEach(() => {
  vi.useFakeTimers();
  settle.length = 0;
  render(<Question />);
});

afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

it('says that it waits, then that it waits for long, and asks again', async () => {
  expect(screen.getByRole('status').textContent).toBe('Asking the kernel…');
  await pass(20_000);
  expect(screen.getByRole('status').textContent).toContain(
    'has not answered yet'
  );
  fireEvent.click(screen.getByRole('button', { name: 'Ask again' }));
  expect(settle).toHaveLength(2);
  settle[1]('here');
  await pass(0);
  expect(screen.getByText('here')).toBeTruthy();
});

it('takes an answer that comes late', async () => {
  await pass(60_000);
  settle[0]('late');
  await pass(0);
  expect(screen.getByText('late')).toBeTruthy();
  expect(screen.queryByRole('button')).toBeNull();
});

it('tells in one line why there is none', async () => {
  settle[0](new Error('this entry is gone'));
  await pass(0);
  expect(screen.getByRole('status').textContent).toBe('this entry is gone');
});
