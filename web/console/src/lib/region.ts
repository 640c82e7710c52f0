// Where a number is from, in words: `CN-GD` is Guangdong, China. Countries are named by the browser, provinces by us.

import { language, tCode } from './i18n';

export function regionName(code: string | null | undefined): string {
  if (!code) return '';
  const [country = '', province] = code.split('-');
  const zh = language() === 'zh-CN';
  let name = country;
  // A code this browser does not know stands for itself.
  try { name = new Intl.DisplayNames([language()], { type: 'region' }).of(country) ?? country; } catch { /* as above */ }
  if (!province) return name;
  return zh ? name + tCode('province', province) : `${tCode('province', province)}, ${name}`;
}
