import { commandsPlugin } from './plugins/commands';
import { editorPlugin } from './plugins/editor';
import { panelPlugin } from './plugins/panel';
import { programsPlugin } from './plugins/programs';
import { statusPlugin } from './plugins/status';

export { IJitPanel } from './jitpanel';

export default [
  panelPlugin,
  statusPlugin,
  commandsPlugin,
  programsPlugin,
  editorPlugin
];
