import './base.css';
import './editor.css';
import './programs.css';
