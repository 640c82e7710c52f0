// The widget's looks, inside its shadow root only.

export const STYLE = `
  .box { color-scheme: light dark; --bg: light-dark(#fff, #171b21); --ink: light-dark(#14181d, #e9edf2); --soft: light-dark(#4f5966, #a9b3c0); --line: light-dark(#d3d9e1, #323a45); --raised: light-dark(#eef1f5, #252c35); --mine: light-dark(#dcebff, #163355); --ring: light-dark(#0b57b0, #7bb8ff);
    position: absolute; bottom: 70px; width: min(370px, calc(100vw - 40px)); height: min(560px, calc(100vh - 120px)); display: flex; flex-direction: column; overflow: hidden; border: 1px solid var(--line); border-radius: 14px; background: var(--bg); color: var(--ink); box-shadow: 0 10px 40px #0004; text-align: left; }
  .box[hidden], .box [hidden] { display: none !important; }
  * { box-sizing: border-box; font: inherit; }
  button { white-space: nowrap; cursor: pointer; border-radius: 8px; min-height: 32px; }
  button:focus-visible, textarea:focus-visible, input:focus-visible, select:focus-visible, .log:focus-visible { outline: 2px solid var(--ring); outline-offset: 1px; }
  header { display: flex; flex-wrap: wrap; align-items: center; gap: 4px; padding: 10px 10px 10px 16px; background: var(--c); color: var(--on); }
  header button:focus-visible { outline-color: var(--on); }
  .titles { flex: 1; min-width: 0; display: grid; }
  strong { font-weight: 600; }
  .state { font-size: 13px; }
  .state:empty::before { content: '\\200b'; }
  .plain { border: 0; background: none; color: inherit; padding: 0 8px; }
  .shut { min-width: 32px; }
  .ways { flex-basis: 100%; display: flex; gap: 8px; padding-top: 4px; }
  .ways button { border: 1px solid; padding: 0 12px; }
  .main { border: 0; background: var(--c); color: var(--on); padding: 0 16px; min-height: 40px; font-weight: 500; }
  .trouble { margin: 0; padding: 8px 16px; background: light-dark(#fff1d6, #3b2a0b); color: light-dark(#7d4c00, #ffc166); }
  .begin, .offline, .callme { display: grid; gap: 14px; padding: 18px; overflow-y: auto; }
  .begin p, .offline p, .callme p { margin: 0; }
  .onair { display: grid; gap: 8px; padding: 10px 16px; background: var(--raised); border-bottom: 1px solid var(--line); }
  .onair p { margin: 0; }
  .onair .row { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; }
  .stage { font-weight: 500; }
  .clock { font-variant-numeric: tabular-nums; color: var(--soft); }
  .onair .hang { border-color: #a51d12; background: #a51d12; color: #fff; }
  .keys { display: grid; grid-template-columns: repeat(3, 1fr); gap: 6px; }
  .keys button { min-height: 44px; font-size: 18px; }
  label { display: grid; gap: 4px; }
  .agree { grid-template-columns: auto 1fr; align-items: start; gap: 8px; }
  .agree input { width: 20px; height: 20px; margin: 0; }
  input, textarea, select { width: 100%; border: 1px solid light-dark(#76808d, #7d8896); border-radius: 8px; padding: 8px 10px; background: var(--bg); color: var(--ink); }
  .talk { flex: 1; min-height: 0; display: flex; flex-direction: column; }
  .log { flex: 1; min-height: 0; overflow-y: auto; margin: 0; padding: 14px; display: flex; flex-direction: column; gap: 8px; }
  .log > div { max-width: 85%; width: fit-content; padding: 7px 12px; border-radius: 14px; background: var(--raised); overflow-wrap: anywhere; }
  .log { overflow-anchor: none; }
  .log > .older { align-self: center; }
  .log > .visitor { align-self: flex-end; background: var(--mine); }
  .log > .system { align-self: center; background: none; color: var(--soft); text-align: center; }
  .log > .failed { outline: 1px solid light-dark(#a51d12, #ff9d92); }
  .words { white-space: pre-wrap; }
  .from, .when { display: block; font-size: 12px; color: var(--soft); }
  .typing { margin: 0; padding: 0 16px; min-height: 20px; font-size: 13px; color: var(--soft); }
  .options { display: flex; flex-wrap: wrap; gap: 6px; padding: 0 14px 8px; }
  .choice { border: 1px solid light-dark(#76808d, #7d8896); background: var(--bg); color: var(--ink); padding: 0 12px; min-height: 34px; }
  .compose { display: flex; gap: 8px; align-items: flex-end; padding: 10px; border-top: 1px solid var(--line); }
  .compose textarea { resize: none; max-height: 140px; min-height: 40px; }
  .compose .attach { min-width: 40px; min-height: 40px; padding: 0; color: var(--soft); display: grid; place-items: center; }
  .compose .attach[hidden] { display: none; }
  .compose .attach:disabled { visibility: hidden; }
  .drop::after { content: ''; position: absolute; inset: 6px; border: 3px dashed var(--c); border-radius: 10px; background: color-mix(in srgb, var(--c) 12%, transparent); pointer-events: none; }
  .file { display: block; width: 100%; border: 0; background: none; color: inherit; padding: 4px 0; text-align: left; white-space: normal; overflow-wrap: anywhere; }
  .file .name { text-decoration: underline; text-underline-offset: 2px; }
  .file canvas { display: block; width: 220px; max-width: 100%; height: 150px; object-fit: contain; object-position: left; margin-bottom: 4px; border-radius: 8px; }
  .file:not(.drawn) canvas { background: var(--line); }
  progress { display: block; width: 100%; height: 8px; accent-color: var(--c); }
  .why { display: block; font-size: 13px; color: light-dark(#a51d12, #ff9d92); }
  .log .plain { padding: 0 12px 0 0; text-decoration: underline; text-underline-offset: 2px; }
  .thanks:focus { outline: none; }
  .rate { display: grid; gap: 8px; margin: 10px 0; text-align: left; }
  fieldset { border: 0; margin: 0; padding: 0; }
  legend { padding: 0; margin-bottom: 4px; font-weight: 500; }
  .stars { display: flex; gap: 4px; }
  .stars label { display: grid; place-items: center; min-width: 44px; min-height: 44px; border-radius: 8px; position: relative; cursor: pointer; }
  .stars input { position: absolute; opacity: 0; inset: 0; width: 100%; margin: 0; cursor: pointer; }
  .sign { font-size: 28px; line-height: 1; color: light-dark(#76808d, #7d8896); }
  .stars:has(:checked) label:not(:has(:checked) ~ label) .sign { color: light-dark(#8a5a00, #ffc166); }
  .stars label:has(:checked) { background: var(--raised); }
  .stars label:has(:focus-visible) { outline: 2px solid var(--ring); outline-offset: 1px; }
  .said { font-size: 12px; color: var(--soft); }
  .over { max-height: 70%; overflow-y: auto; padding: 14px; text-align: center; border-top: 1px solid var(--line); }
  .box.right { right: 0; }
  .box.left { left: 0; }
  .choice { white-space: normal; }
  @media (max-width: 480px) { .box { position: fixed; inset: 0; width: 100vw; height: 100dvh; border: 0; border-radius: 0; } }
`;
