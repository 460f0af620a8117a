/** The panel's settings, as each of our plugins reads those that are its own. */
import type { ISettingRegistry } from '@jupyterlab/settingregistry';

import { PLUGIN_ID } from '../tokens';

/** Call `read` now and after every change; what cannot be read is told once, and `read` is not called. */
export async function followSettings(
  settings: ISettingRegistry | null,
  read: (settings: ISettingRegistry.ISettings) => void
): Promise<void> {
  try {
    const loaded = await settings?.load(PLUGIN_ID);
    loaded?.changed.connect(read);
    if (loaded) {
      read(loaded);
    }
  } catch (reason) {
    failed ??= reason;
    if (failed === reason) {
      console.error('jupyter-jitmagic: the settings could not be read', reason);
    }
  }
}

let failed: unknown;
