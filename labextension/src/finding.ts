/** Where in a kernel the extension is, and a way to ask it that a running cell does not close. */
import type { Kernel } from '@jupyterlab/services';
import { KernelMessage } from '@jupyterlab/services';

import { SUBSHELLS_MARK, SUBSHELL_PREFIX } from './protocol';

/** What is needed of a kernel connection. */
export type KernelLike = Pick<
  Kernel.IKernelConnection,
  | 'clientId'
  | 'username'
  | 'status'
  | 'connectionStatus'
  | 'isDisposed'
  | 'spec'
  | 'statusChanged'
  | 'connectionStatusChanged'
  | 'iopubMessage'
  | 'sendShellMessage'
  | 'sendControlMessage'
  | 'requestCommInfo'
>;

/** How long to wait before another way is tried or the wait is told, in milliseconds. */
export interface IPatience {
  /** for the kernel's language */
  spec: number;
  /** for an answer on the control channel; after a page reload in a busy cell JupyterLab itself holds messages back for 3 s */
  control: number;
  /** for a snapshot over a subshell, before a fresh subshell is tried */
  subshell: number;
  /** for a snapshot over the main shell, before "waits for the running cell" is told */
  shell: number;
}

export const PATIENCE: IPatience = {
  spec: 1500,
  control: 6000,
  subshell: 4000,
  shell: 400
};

/** Whether the kernel is known to speak another language. */
export async function isForeign(
  kernel: KernelLike,
  patience: IPatience
): Promise<boolean> {
  const spec = await Promise.race([
    kernel.spec.catch(() => undefined),
    pause(patience.spec)
  ]);
  const language = spec?.language;
  return Boolean(language && !/^i?python/i.test(language));
}

/** Which comms the kernel has, asked on the control channel, where that is answered while a cell runs; `onWait`: it is not. */
export async function commsOf(
  kernel: KernelLike,
  patience: IPatience,
  onWait: () => void
): Promise<Record<string, unknown>> {
  const answer = control(kernel, 'comm_info_request', {});
  const first = await Promise.race([answer, pause(patience.control)]);
  if (first) {
    return first.comms as Record<string, unknown>;
  }
  // No answer on control (not every kernel knows these requests there): the main shell answers when its cell ends.
  onWait();
  const shell = kernel
    .requestCommInfo({})
    .then(message => message.content as unknown as Record<string, unknown>);
  const late = await Promise.race([answer, shell]);
  return (late.comms ?? {}) as Record<string, unknown>;
}

/** The subshell that panels share, or one of our own; null where the kernel has none. `fresh`: the shared one did not answer. */
export async function subshellOf(
  kernel: KernelLike,
  patience: IPatience,
  comms: Record<string, unknown>,
  fresh: boolean
): Promise<string | null> {
  const shared = Object.keys(comms).find(id => id.startsWith(SUBSHELL_PREFIX));
  if (shared && !fresh) {
    return shared.slice(SUBSHELL_PREFIX.length);
  }
  if (!(SUBSHELLS_MARK in comms)) {
    return null;
  }
  const reply = await Promise.race([
    control(kernel, 'create_subshell_request', {}).catch(() => undefined),
    pause(patience.control)
  ]);
  const id = reply?.subshell_id;
  return typeof id === 'string' ? id : null;
}

/** Ask on the control channel; resolves with the content of the answer. */
export function control(
  kernel: KernelLike,
  type: string,
  content: Record<string, unknown>
): Promise<Record<string, unknown>> {
  const message = KernelMessage.createMessage({
    // JupyterLab's types know these requests on the shell channel only; ipykernel answers them on both
    msgType: type as 'debug_request',
    channel: 'control',
    username: kernel.username,
    session: kernel.clientId,
    content: content as any
  });
  return kernel
    .sendControlMessage(message, true)
    .done.then(
      reply => (reply?.content ?? {}) as unknown as Record<string, unknown>
    );
}

function pause(milliseconds: number): Promise<undefined> {
  return new Promise(resolve =>
    setTimeout(() => resolve(undefined), milliseconds)
  );
}
