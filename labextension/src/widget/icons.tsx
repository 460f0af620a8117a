/** What `@jupyterlab/ui-components` is to the views, where there is no JupyterLab: its icons that they use, drawn in the text's colour. */
import * as React from 'react';

interface IIconProps extends React.HTMLAttributes<HTMLSpanElement> {
  tag?: 'span';
  width?: string;
  height?: string;
}

interface IIcon {
  readonly react: (props: IIconProps) => React.JSX.Element;
}

function icon(size: number, path: string): IIcon {
  return {
    react: ({
      tag: Tag = 'span',
      width = '16px',
      height = '16px',
      ...rest
    }) => (
      <Tag {...rest}>
        <svg
          width={width}
          height={height}
          viewBox={`0 0 ${size} ${size}`}
          fill="currentColor"
          style={{ display: 'block' }}
        >
          <path d={path} />
        </svg>
      </Tag>
    )
  };
}

/** JupyterLab makes its icons of the text of an SVG file. */
export class LabIcon implements IIcon {
  constructor({ svgstr }: { name: string; svgstr: string }) {
    this._paths = [...svgstr.matchAll(/ d="([^"]+)"/g)].map(([, path]) => path);
    this.react = icon(24, this._paths.join('')).react;
  }

  readonly react: IIcon['react'];
  private readonly _paths: string[];
}

export const caretDownIcon = icon(18, 'M5.2 7.5 9 11.2l3.8-3.8z');
export const caretRightIcon = icon(18, 'M7.2 5.2 10.9 9l-3.8 3.8V5.2z');
export const caretUpIcon = icon(18, 'M5.2 10.5 9 6.8l3.8 3.8z');
export const checkIcon = icon(
  24,
  'M9 16.17 4.83 12l-1.42 1.41L9 19 21 7l-1.41-1.41z'
);
export const closeIcon = icon(
  24,
  'M19 6.41 17.59 5 12 10.59 6.41 5 5 6.41 10.59 12 5 17.59 6.41 19 12 13.41 17.59 19 19 17.59 13.41 12z'
);
export const consoleIcon = icon(
  24,
  'M3 4h18v16H3zm2 2v12h14V6zm2 2.4L8.4 7l4 4-4 4L7 13.6 9.6 11zM13 14h4v2h-4z'
);
export const ellipsesIcon = icon(
  24,
  'M6 10a2 2 0 1 0 0 4 2 2 0 0 0 0-4zm12 0a2 2 0 1 0 0 4 2 2 0 0 0 0-4zm-6 0a2 2 0 1 0 0 4 2 2 0 0 0 0-4z'
);
export const notebookIcon = icon(
  24,
  'M5 3h14v18H5zm2 2v14h1V5zm3 0v14h7V5zm1.5 3h4v1.5h-4z'
);
export const searchIcon = icon(
  24,
  'M10 4a6 6 0 0 1 4.7 9.7l5.3 5.3-1.4 1.4-5.3-5.3A6 6 0 1 1 10 4zm0 2a4 4 0 1 0 0 8 4 4 0 0 0 0-8z'
);
