/** Colours and fonts of the front end around the widget: JupyterLab's variables where they are, else stand-ins, light or dark. */

/** Keep `root` dressed as what it stands in; returns what ends that. */
export function dress(root: HTMLElement): () => void {
  const put = (): void => {
    if (!root.isConnected) {
      return; // outside the page there are no variables
    }
    const style = getComputedStyle(root);
    // VS Code has a few of JupyterLab's variables, always those of its light theme
    const inCode = style.getPropertyValue('--vscode-editor-background') !== '';
    root.classList.remove('jp-JitMagic-elsewhere');
    const inLab = style.getPropertyValue('--jp-layout-color1') !== '';
    if (inCode || !inLab) {
      root.classList.add('jp-JitMagic-elsewhere');
      root.dataset.scheme = isDark(root) ? 'dark' : 'light';
    }
  };
  put();
  const shown = new ResizeObserver(put); // drawn for the first time, or elsewhere
  shown.observe(root);
  const observer = new MutationObserver(put);
  for (const node of [document.documentElement, document.body]) {
    observer.observe(node, {
      attributes: true,
      attributeFilter: [
        'class',
        'style',
        'theme',
        'data-theme',
        'data-vscode-theme-kind'
      ]
    });
  }
  return () => {
    shown.disconnect();
    observer.disconnect();
  };
}

/** Whether what lies behind the widget is dark. */
function isDark(root: HTMLElement): boolean {
  let node: Node | null = root.parentNode;
  while (node) {
    if (node instanceof Element) {
      const [red, green, blue, alpha] = painted(
        getComputedStyle(node).backgroundColor
      );
      if (alpha > 127) {
        return 0.3 * red + 0.6 * green + 0.1 * blue < 128;
      }
    }
    node = node instanceof ShadowRoot ? node.host : node.parentNode;
  }
  return getComputedStyle(document.documentElement).colorScheme === 'dark';
}

/** A colour in whatever notation (`oklch(…)`, too) as red, green, blue and alpha, 0 to 255. */
function painted(colour: string): Uint8ClampedArray {
  const canvas = document.createElement('canvas');
  canvas.width = canvas.height = 1;
  const context = canvas.getContext('2d')!;
  context.fillStyle = colour;
  context.fillRect(0, 0, 1, 1);
  return context.getImageData(0, 0, 1, 1).data;
}
