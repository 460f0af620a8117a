import './base.css';
import './programs.css';
