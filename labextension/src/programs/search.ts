/** JupyterLab's own search (Ctrl F) in a program that is read. */
import type { CodeEditor } from '@jupyterlab/codeeditor';
import { EditorSearchProvider } from '@jupyterlab/codemirror';
import { MainAreaWidget } from '@jupyterlab/apputils';
import type {
  ISearchProvider,
  ISearchProviderFactory
} from '@jupyterlab/documentsearch';

import { ProgramPage } from './page';

type ProgramTab = MainAreaWidget<ProgramPage>;

class ProgramSearch extends EditorSearchProvider implements ISearchProvider {
  constructor(private readonly _page: ProgramPage) {
    super();
  }

  readonly isReadOnly = true;

  getInitialQuery(): string {
    const editor = this.editor;
    const { start, end } = editor?.getSelection() ?? {};
    return editor && start && end && start.line === end.line
      ? (editor.getLine(start.line) ?? '').slice(start.column, end.column)
      : '';
  }

  protected get editor(): CodeEditor.IEditor | null {
    return this._page.reader?.editor ?? null;
  }

  protected get model(): CodeEditor.IModel {
    return this._page.reader!.model;
  }
}

export const programSearch: ISearchProviderFactory = {
  // it is asked for nothing but what is applicable
  createNew: tab => new ProgramSearch((tab as ProgramTab).content),
  isApplicable: (widget): widget is ProgramTab =>
    widget instanceof MainAreaWidget &&
    widget.content instanceof ProgramPage &&
    widget.content.state.choice.other === null
};
