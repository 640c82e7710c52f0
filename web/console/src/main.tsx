import './theme.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { language } from './lib/i18n';
import { applyTheme } from './lib/prefs';
import { resume } from './live/live';
import { Console } from './shell/Console';

applyTheme();
document.documentElement.lang = language();
void resume();
createRoot(document.getElementById('root')!).render(<StrictMode><Console /></StrictMode>);
