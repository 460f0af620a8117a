import { LabIcon } from '@jupyterlab/ui-components';

import svg from '../style/icons/jitmagic.svg';

export const jitIcon = new LabIcon({ name: 'jitmagic:panel', svgstr: svg });
