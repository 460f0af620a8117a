import { commandsPlugin } from './plugins/commands';
import { panelPlugin } from './plugins/panel';
import { statusPlugin } from './plugins/status';

export { IJitPanel } from './jitpanel';

export default [panelPlugin, statusPlugin, commandsPlugin];
