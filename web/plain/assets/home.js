// The landing page: says where to go and whether the server is well.

import { $, chrome, t } from './ui.js';

let well = null;
const show = () => { if (well !== null) $('#health').textContent = t(well ? 'home.ok' : 'home.trouble'); };
chrome(show);
fetch('/healthz').then((r) => { well = r.ok; }, () => { well = false; }).then(show);
