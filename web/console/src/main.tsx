import './theme.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { language } from './lib/i18n';
import { applyTheme, followOtherTabs } from './lib/prefs';
import { resume } from './live/live';
import { Console } from './shell/Console';

const look = (): void => {
  applyTheme();
  document.documentElement.lang = language();
};
look();
followOtherTabs(look);
void resume();
createRoot(document.getElementById('root')!).render(<StrictMode><Console /></StrictMode>);
