import { Signal } from '@lumino/signaling';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { KernelLink } from '../connection';
import { PanelModel } from '../model';
import { COMM, QUERIES, SUBSHELL_PREFIX, SUBSHELLS_MARK } from '../protocol';
import { golden } from './golden';

/** A kernel connection made of signals: what is sent is kept, what arrives is said by the test. */
class FakeKernel {
  clientId = 'client';
  username = 'user';
  status = 'idle';
  connectionStatus = 'connected';
  isDisposed = false;
  language = 'python';
  comms: Record<string, unknown> = { [COMM]: {}, [SUBSHELLS_MARK]: {} };
  answersControl = true;
  sent: any[] = [];
  controls: string[] = [];
  statusChanged = new Signal<this, any>(this);
  connectionStatusChanged = new Signal<this, any>(this);
  iopubMessage = new Signal<this, any>(this);

  get spec(): Promise<any> {
    return Promise.resolve({ language: this.language });
  }

  sendShellMessage(message: any): any {
    this.sent.push(message);
    return { dispose: () => {} };
  }

  sendControlMessage(message: any): any {
    this.controls.push(message.header.msg_type);
    if (!this.answersControl) {
      return { done: new Promise(() => {}) };
    }
    const content =
      message.header.msg_type === 'comm_info_request'
        ? { status: 'ok', comms: this.comms }
        : { status: 'ok', subshell_id: `sub${this.controls.length}` };
    return { done: Promise.resolve({ content }) };
  }

  requestCommInfo(): Promise<any> {
    return Promise.resolve({ content: { status: 'ok', comms: this.comms } });
  }

  go(status: string): void {
    this.status = status;
    this.statusChanged.emit(status);
  }

  connect(status: string): void {
    this.connectionStatus = status;
    this.connectionStatusChanged.emit(status);
  }

  say(commId: string, data: unknown): void {
    this.iopubMessage.emit({
      header: { msg_type: 'comm_msg' },
      parent_header: {},
      content: { comm_id: commId, data }
    });
  }

  says(executionState: string, parent: object): void {
    this.iopubMessage.emit({
      header: { msg_type: 'status' },
      parent_header: parent,
      content: { execution_state: executionState }
    });
  }

  /** The panels that said that they listen and did not take leave. */
  get open(): string[] {
    const panels = (op: string): string[] =>
      this.requests.filter(data => data.op === op).map(data => data.panel);
    return [...new Set(panels('open'))].filter(
      panel => !panels('close').includes(panel)
    );
  }

  /** Requests sent, each as the kernel gets it. */
  get requests(): any[] {
    return this.sent.map(message => message.content.data);
  }
}

/** Enough for any machine; and none, where the test is of what comes then. */
const PATIENCE = {
  spec: 60_000,
  control: 60_000,
  subshell: 60_000,
  shell: 60_000
};
const IMPATIENT = { ...PATIENCE, control: 5, subshell: 5, shell: 5 };

async function settled(): Promise<void> {
  for (let i = 0; i < 12; i++) {
    await Promise.resolve();
  }
  await new Promise(resolve => setTimeout(resolve, 0));
}

describe('KernelLink', () => {
  let kernel: FakeKernel;
  let model: PanelModel;
  let link: KernelLink;

  const start = async (counts = false, patience = PATIENCE): Promise<void> => {
    link = new KernelLink(kernel as any, model, counts, patience);
    await settled();
  };
  const answer = (message: any = golden('snapshot')): void =>
    kernel.say(kernel.open[0], message);

  beforeEach(() => {
    kernel = new FakeKernel();
    model = new PanelModel();
  });

  afterEach(() => {
    link.dispose();
    vi.restoreAllMocks();
  });

  it('finds the extension, speaks to it through a subshell of its own, and shows the snapshot', async () => {
    await start();
    const [message] = kernel.sent;
    expect(kernel.controls).toEqual([
      'comm_info_request',
      'create_subshell_request'
    ]);
    expect(message.header.subshell_id).toBe('sub2');
    expect(message.content.comm_id).toBe(QUERIES);
    expect(model.state.link).toBe('connecting');
    answer();
    expect(model.state.link).toBe('live');
    kernel.say(COMM, golden('update'));
    expect(model.state.entries.size).toBe(3);
  });

  it('shares a subshell that another panel made', async () => {
    kernel.comms[`${SUBSHELL_PREFIX}shared`] = {};
    await start();
    expect(kernel.controls).toEqual(['comm_info_request']);
    expect(kernel.sent[0].header.subshell_id).toBe('shared');
  });

  it('makes a fresh subshell if the shared one does not answer', async () => {
    kernel.comms[`${SUBSHELL_PREFIX}gone`] = {};
    await start(false, IMPATIENT);
    await vi.waitFor(() =>
      expect(kernel.sent.length).toBeGreaterThanOrEqual(2)
    );
    expect(kernel.sent[1].header.subshell_id).toMatch(/^sub/);
  });

  it('asks no subshell of a kernel without them, and says that it waits for the cell', async () => {
    kernel.comms = { [COMM]: {} };
    await start(false, IMPATIENT);
    expect(kernel.controls).toEqual(['comm_info_request']);
    expect(kernel.sent[0].header.subshell_id ?? null).toBeNull();
    await vi.waitFor(() => expect(model.state.link).toBe('waiting'));
    answer();
    expect(model.state.link).toBe('live');
  });

  it('opens nothing where the extension is not loaded, and notices when it is', async () => {
    kernel.comms = {};
    await start();
    expect(model.state.link).toBe('unloaded');
    expect(kernel.sent).toEqual([]);
    kernel.comms = { [COMM]: {}, [SUBSHELLS_MARK]: {} };
    kernel.say(COMM, golden('loaded'));
    await settled();
    answer();
    expect(model.state.link).toBe('live');
    kernel.say(COMM, golden('unloaded'));
    expect(model.state.link).toBe('unloaded');
    expect(model.state.functions.size).toBe(0);
    expect(kernel.controls.at(-1)).toBe('delete_subshell_request');
  });

  it('says nothing to a kernel that does not speak Python', async () => {
    kernel.language = 'R';
    await start();
    expect(model.state.link).toBe('foreign');
    expect([kernel.controls, kernel.sent]).toEqual([[], []]);
    kernel.go('restarting');
    kernel.go('idle');
    expect(model.state.link).toBe('foreign');
  });

  it('falls back on the main shell where control gives no answer', async () => {
    kernel.answersControl = false;
    kernel.comms = { [COMM]: {} };
    await start(false, IMPATIENT);
    await vi.waitFor(() => expect(kernel.sent.length).toBe(1));
    answer();
    expect(model.state.link).toBe('live');
  });

  it('asks for one snapshot when an update is missing', async () => {
    await start();
    answer();
    const [open] = kernel.open;
    kernel.say(COMM, { ...golden('update'), seq: 5 });
    kernel.say(COMM, { ...golden('update'), seq: 6 });
    expect(kernel.requests.filter(data => data.op === 'snapshot').length).toBe(
      1
    );
    kernel.say(open, { ...golden('snapshot'), seq: 6 });
    kernel.say(COMM, { ...golden('update'), seq: 7 });
    expect(model.state.entries.size).toBe(3);
  });

  it('takes a snapshot that was asked for as the answer', async () => {
    await start();
    answer();
    const asked = link.request('snapshot');
    const { id } = kernel.requests.at(-1);
    kernel.say(kernel.open[0], { ...golden('snapshot'), id });
    expect(await asked).toEqual({});
  });

  it('answers when it is asked whether it is still there', async () => {
    await start();
    answer();
    kernel.say(COMM, { ...golden('update'), ping: true });
    expect(kernel.requests.at(-1)).toMatchObject({ op: 'alive' });
  });

  it.each(golden('bad') as { why: string; message: unknown }[])(
    'ignores $why with one warning and keeps its state',
    async ({ message }) => {
      const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
      await start();
      answer();
      const before = model.state;
      kernel.say(COMM, message);
      kernel.say(kernel.open[0], message);
      expect(model.state).toBe(before);
      expect(warn).toHaveBeenCalledTimes(1);
    }
  );

  it('says that the panel needs an update where the kernel’s first word is newer', async () => {
    vi.spyOn(console, 'warn').mockImplementation(() => {});
    await start();
    answer({ ...golden('snapshot'), v: 99 });
    expect(model.state.link).toBe('newer');
  });

  it('shows a restart, then what the new kernel says', async () => {
    await start();
    answer();
    kernel.go('restarting');
    expect(model.state.link).toBe('restarting');
    expect(model.state.functions.size).toBe(2);
    kernel.comms = {};
    kernel.go('starting');
    kernel.go('idle');
    await settled();
    expect(model.state.link).toBe('unloaded');
    expect(model.state.functions.size).toBe(0);
  });

  it('discovers once after a restart, though its own request makes the kernel busy and idle', async () => {
    await start();
    answer();
    kernel.go('autorestarting');
    const before = kernel.controls.length;
    for (const status of ['starting', 'idle', 'busy', 'idle', 'busy', 'idle']) {
      kernel.go(status);
    }
    await settled();
    const asked = kernel.controls.slice(before);
    expect(asked.filter(type => type === 'comm_info_request').length).toBe(1);
  });

  it('asks anew after a kernel died and was started again, though no status follows', async () => {
    await start();
    answer();
    kernel.go('autorestarting');
    kernel.connect('connecting');
    expect(model.state.link).toBe('restarting');
    kernel.comms = {};
    kernel.connect('connected');
    await settled();
    expect(model.state.link).toBe('unloaded');
  });

  it('keeps old rows and says so while the connection is lost, then asks anew', async () => {
    await start();
    answer();
    kernel.connect('connecting');
    expect(model.state.link).toBe('lost');
    expect(model.state.functions.size).toBe(2);
    kernel.connect('connected');
    await settled();
    expect(kernel.open.length).toBe(2);
    kernel.say(kernel.open[1], golden('snapshot'));
    expect(model.state.link).toBe('live');
  });

  it('knows busy from cells on the main shell only', async () => {
    await start();
    answer({ ...golden('snapshot'), busy: false });
    kernel.says('busy', { msg_type: 'execute_request' });
    expect(model.state.busy).toBe(true);
    kernel.says('idle', { msg_type: 'comm_msg', subshell_id: 's' });
    kernel.says('idle', { msg_type: 'execute_request', subshell_id: 's' });
    expect(model.state.busy).toBe(true);
    kernel.says('idle', { msg_type: 'execute_request' });
    expect(model.state.busy).toBe(false);
  });

  it('answers requests, in words where they fail', async () => {
    await start();
    answer();
    const asked = link.request('anything', { entry: 1 });
    const { id } = kernel.requests.at(-1);
    answer({ t: 'reply', v: 1, id, ok: true, data: { done: 3 } });
    expect(await asked).toEqual({ done: 3 });
    const refused = link.request('anything');
    const next = kernel.requests.at(-1).id;
    answer({ ...golden('reply-unknown'), id: next });
    await expect(refused).rejects.toThrow(/does not know/);
    const lost = link.request('anything');
    kernel.connect('connecting');
    await expect(lost).rejects.toThrow(/lost/);
    kernel.connect('connected');
    await settled();
    kernel.say(kernel.open.at(-1)!, golden('snapshot'));
    const ended = link.request('anything');
    kernel.go('restarting');
    await expect(ended).rejects.toThrow(/ended/);
  });

  it('asks what was asked before the kernel was found, once it is; and not where it never is', async () => {
    link = new KernelLink(kernel as any, model, false, PATIENCE);
    const early = link.request('fixes', { diagnosis: 1 });
    await settled();
    expect(kernel.requests.map(({ op }) => op)).toEqual(['open']);
    answer();
    const { op, id } = kernel.requests.at(-1);
    expect(op).toBe('fixes');
    answer({ t: 'reply', v: 1, id, ok: true, data: { fixes: [] } });
    expect(await early).toEqual({ fixes: [] });

    link.dispose();
    kernel.comms = {};
    link = new KernelLink(kernel as any, model, false, PATIENCE);
    await expect(link.request('fixes')).rejects.toThrow(/not connected/);
  });

  it('hastens the answer to a question once, and only through a subshell', async () => {
    const busy = (): void => {
      const { msg_id } = kernel.sent.at(-1).header;
      kernel.says('busy', { msg_type: 'comm_msg', msg_id });
    };
    await start();
    busy();
    busy();
    expect(kernel.requests.map(data => data.op)).toEqual(['open', 'alive']);
    link.dispose();
    kernel = new FakeKernel();
    kernel.comms = { [COMM]: {} };
    await start();
    busy();
    expect(kernel.requests.map(data => data.op)).toEqual(['open']);
  });

  it('asks for counts only where no rows are shown', async () => {
    await start(true);
    expect(kernel.requests[0].args.counts).toBe(true);
    answer(golden('counts'));
    expect(model.state.link).toBe('live');
    expect(model.state.counts.misses).toBe(golden('counts').misses);
    kernel.say(COMM, golden('update'));
    expect(model.state.functions.size).toBe(0);
  });

  it('asks for rows instead of counts with one message', async () => {
    await start(true);
    answer(golden('counts'));
    const before = kernel.controls.length;
    link.want(false);
    expect(kernel.requests.at(-1)).toMatchObject({
      op: 'open',
      panel: kernel.open[0],
      args: { subshell: 'sub2', counts: false }
    });
    kernel.say(COMM, { ...golden('update'), seq: 7 });
    answer({ ...golden('snapshot'), seq: 8 });
    kernel.say(COMM, { ...golden('update'), seq: 9 });
    expect(model.state.entries.size).toBe(3);
    link.want(true);
    expect(kernel.requests.at(-1).args.counts).toBe(true);
    expect(kernel.controls.length).toBe(before);
    expect(kernel.requests.some(data => data.op === 'snapshot')).toBe(false);
  });

  it('takes leave and hears nothing more', async () => {
    await start();
    answer();
    link.dispose();
    expect(kernel.open).toEqual([]);
    const before = model.state;
    kernel.say(COMM, golden('update'));
    kernel.go('restarting');
    expect(model.state).toBe(before);
  });

  it('sends what the kernel understands', async () => {
    await start();
    answer();
    kernel.say(COMM, { ...golden('update'), seq: 9, ping: true });
    link.dispose();
    const known = golden('requests').map((request: any) => request.op);
    expect(new Set(kernel.sent.map(each => each.header.msg_type))).toEqual(
      new Set(['comm_msg'])
    );
    for (const request of kernel.requests) {
      expect(Object.keys(request).sort()).toEqual([
        'args',
        'id',
        'op',
        'panel',
        'v'
      ]);
      expect(known).toContain(request.op);
    }
  });
});
