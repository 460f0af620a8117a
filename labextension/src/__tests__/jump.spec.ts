import { PageConfig } from '@jupyterlab/coreutils';
import { Signal } from '@lumino/signaling';
import { beforeEach, describe, expect, it, vi } from 'vitest';

import { applyFix, jumpTo, serverPath } from '../jump';

/** A notebook made of cells that are texts; what is shown and set is kept. */
function notebook(
  ...cells: { id?: string; type?: string; source: string; count?: number }[]
): any {
  const widgets = cells.map(({ id = '', type = 'code', source, count }) => {
    const sharedModel = {
      source,
      changed: null as any,
      setSource(text: string) {
        this.source = text;
        this.changed.emit(undefined);
      }
    };
    sharedModel.changed = new Signal(sharedModel);
    return {
      disposed: new Signal({}),
      model: { id, type, executionCount: count ?? null, sharedModel }
    };
  });
  return {
    kind: 'notebook',
    panel: {
      sessionContext: { path: 'work/lesson.ipynb' },
      content: {
        widgets,
        activeCellIndex: -1,
        deselectAll: () => {},
        scrollToItem: () => Promise.resolve()
      }
    },
    texts: () => widgets.map(({ model }) => model.sharedModel.source)
  };
}

const FIX = { cell: 4, cellId: 'c', before: 'old', after: 'new' };

describe('applying a fix', () => {
  it('tells when it is taken back, is there again, or its cell is gone', async () => {
    const followed = notebook({ source: 'old', id: 'c' });
    const { widgets } = followed.panel.content;
    const [{ model, disposed }] = widgets;
    const told: boolean[] = [];
    await applyFix(FIX, followed, undefined, isThere => {
      told.push(isThere);
      return true;
    });
    model.sharedModel.setSource('new\n'); // the same
    expect(told).toEqual([true]);
    model.sharedModel.setSource('old');
    expect(told).toEqual([true, false]);
    model.sharedModel.setSource('new');
    widgets.length = 0;
    disposed.emit(undefined);
    expect(told).toEqual([true, false, true, false]);
  });

  it('tells nobody who no longer wants to know', async () => {
    const followed = notebook({ source: 'old', id: 'c' });
    const [{ model }] = followed.panel.content.widgets;
    const told: boolean[] = [];
    await applyFix(FIX, followed, undefined, isThere => {
      told.push(isThere);
      return isThere;
    });
    model.sharedModel.setSource('old');
    model.sharedModel.setSource('new');
    expect(told).toEqual([true, false]);
  });

  it('takes no cell that holds text only', async () => {
    const followed = notebook(
      { type: 'markdown', source: 'old' },
      { type: 'raw', source: 'old', id: 'c' },
      { source: 'old\n' }
    );
    expect(await applyFix(FIX, followed)).toBe('done');
    expect(followed.texts()).toEqual(['old', 'old', 'new']);
  });

  it.each([
    ['its id', { id: 'c' }],
    ['its number', { count: 4 }]
  ])('takes the cell that failed, by %s', async (_, known) => {
    const followed = notebook(
      { source: 'old', id: 'a', count: 3 },
      { source: 'old', ...known },
      { source: 'old', id: 'b', count: 5 }
    );
    expect(await applyFix(FIX, followed)).toBe('done');
    expect(followed.texts()).toEqual(['old', 'new', 'old']);
  });

  it('takes none of several where none is known to be it', async () => {
    const followed = notebook(
      { source: 'old', count: 7 },
      { source: 'old', count: 8 }
    );
    const anywhere = { ...FIX, cell: null, cellId: '' };
    expect(await applyFix(FIX, followed)).toBe('changed');
    expect(await applyFix(anywhere, followed)).toBe('changed');
    expect(followed.texts()).toEqual(['old', 'old']);
  });

  it('says that the change is there already, and runs the cell where that is wanted', async () => {
    const followed = notebook({ source: 'new', id: 'c', count: 4 });
    const run = vi.fn(() => Promise.resolve());
    expect(await applyFix(FIX, followed, run)).toBe('there');
    expect(run).toHaveBeenCalledWith(followed);
    expect(followed.texts()).toEqual(['new']);
  });

  it('leaves a cell alone that says something else by now', async () => {
    const followed = notebook({ source: 'older', id: 'c', count: 4 });
    expect(await applyFix(FIX, followed)).toBe('changed');
  });
});

describe('a file as the server names it', () => {
  it.each([
    ['/home/a/x.py', 'x.py'],
    ['/home/a/lib/x.py', 'lib/x.py'],
    ['/home/a/lib/../x.py', 'x.py'],
    ['/home/ab/x.py', null],
    ['/home/a', null],
    ['/home/a/../ab/x.py', null],
    ['/usr/lib/x.py', null],
    ['x.py', 'work/x.py'],
    ['../x.py', 'x.py'],
    ['../../x.py', null],
    ['<string>', null],
    ['', null]
  ])('%s', (file, expected) => {
    expect(serverPath(file, 'work', '/home/a')).toBe(expected);
    expect(serverPath(file, 'work', '/home/a/')).toBe(expected);
  });

  it('knows no absolute file where the root is not known', () => {
    expect(serverPath('/home/a/x.py', '', '')).toBeNull();
    expect(serverPath('/x.py', '', '/')).toBe('x.py');
    expect(serverPath('../x.py', 'work', '')).toBe('x.py');
    expect(serverPath('../../x.py', 'work', '')).toBeNull();
  });

  it('reads the slashes of Windows', () => {
    expect(serverPath('C:\\a\\b\\x.py', '', 'C:/a')).toBe('b/x.py');
    expect(serverPath('C:\\ab\\x.py', '', 'C:\\a')).toBeNull();
  });
});

describe('going to a line in a file', () => {
  const editor = {
    lineCount: 9,
    setCursorPosition: vi.fn(),
    focus: vi.fn()
  };
  const execute = vi.fn(() =>
    Promise.resolve({
      context: { ready: Promise.resolve() },
      content: { editor }
    })
  );

  beforeEach(() => {
    PageConfig.setOption('serverRoot', '~/a');
    execute.mockClear();
  });

  it('opens an absolute path below the root, and puts the cursor there', async () => {
    const place = { cell: null, file: '/home/me/a/b/x.py', line: 5 };
    const commands = { execute } as any;
    expect(await jumpTo(place, notebook(), commands, '/home/me')).toBe('there');
    expect(execute).toHaveBeenCalledWith('docmanager:open', { path: 'b/x.py' });
    expect(editor.setCursorPosition).toHaveBeenCalledWith({
      line: 4,
      column: 0
    });
  });

  it('says of others that they are outside', async () => {
    const place = { cell: null, file: '/home/me/ab/x.py', line: 5 };
    const commands = { execute } as any;
    expect(await jumpTo(place, notebook(), commands, '/home/me')).toBe(
      'outside'
    );
    expect(execute).not.toHaveBeenCalled();
  });
});

describe('going to a line of a cell', () => {
  const place = { cell: 3, file: '', line: 1 };

  it('finds it by its own id, not by the number that a cell of an earlier kernel keeps', async () => {
    const followed = notebook(
      { id: 'stale', source: 'a', count: 3 },
      { id: 'ran', source: 'b', count: 7 }
    );
    const { content } = followed.panel;
    expect(await jumpTo(place, followed, {} as any, '', 'ran')).toBe('there');
    expect(content.activeCellIndex).toBe(1);
    expect(await jumpTo(place, followed, {} as any, '', 'deleted')).toBe(
      'gone'
    );
  });

  it('finds it by its number where the kernel knows no id', async () => {
    const followed = notebook(
      { source: 'a', count: 2 },
      { source: 'b', count: 3 }
    );
    expect(await jumpTo(place, followed, {} as any)).toBe('there');
    expect(followed.panel.content.activeCellIndex).toBe(1);
  });
});
