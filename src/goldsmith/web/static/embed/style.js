// The look of all parts. An application changes it by custom properties (--goldsmith-…) and by ::part(…); the how-to
// lists both. Light or dark follows the page's own `color-scheme`.

export const sheet = new CSSStyleSheet();
sheet.replaceSync(`
:host {
  --_ink: var(--goldsmith-ink, light-dark(#1d1b17, #eeebe4));
  --_ink-2: var(--goldsmith-ink-2, light-dark(#57524a, #b9b3a8));
  --_surface: var(--goldsmith-surface, light-dark(#fff, #1c1b18));
  --_sunken: var(--goldsmith-sunken, light-dark(#f4f2ed, #171614));
  --_line: var(--goldsmith-line, light-dark(#ddd8ce, #38352f));
  --_control-line: var(--goldsmith-control-line, light-dark(#8a8377, #857e72));
  --_accent: var(--goldsmith-accent, #e8b130);
  --_on-accent: var(--goldsmith-on-accent, #221a02);
  --_focus: var(--goldsmith-focus, light-dark(#7a5800, #f3c455));
  --_good: var(--goldsmith-good, light-dark(#0b6470, #62c8d2));
  --_warn: var(--goldsmith-warn, light-dark(#974400, #f3a662));
  --_bad: var(--goldsmith-bad, light-dark(#a8123e, #ff93ab));
  --_info: var(--goldsmith-info, light-dark(#1f55b5, #8fb6f7));
  --_radius: var(--goldsmith-radius, 12px);
  --_space: var(--goldsmith-space, 16px);
  display: block;
  font: var(--goldsmith-font, 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif);
  color: var(--_ink);
}
:host([hidden]), [hidden] { display: none !important; }
:host([theme="light"]) { color-scheme: light; }
:host([theme="dark"]) { color-scheme: dark; }
* { box-sizing: border-box; }
section {
  background: var(--_surface);
  border: 1px solid var(--_line);
  border-radius: var(--_radius);
  padding: calc(var(--_space) * 1.25);
  overflow-wrap: anywhere;
}
:host([bare]) section { background: none; border: 0; padding: 0; }
h2 { margin: 0 0 var(--_space); font-size: 17px; font-weight: 620; line-height: 1.3; }
h3 { margin: 0; font-size: 15px; font-weight: 560; display: inline; }
p { margin: 0; max-inline-size: 66ch; }
[part~="body"], [part~="message"], [part~="result"], form { display: grid; gap: calc(var(--_space) * 0.75); }
[part~="message"]:not(:empty) + [part~="body"] { margin-block-start: calc(var(--_space) * 0.75); }
.second { color: var(--_ink-2); font-size: 13px; }
.number { font-variant-numeric: tabular-nums; }
.count { font-size: 26px; font-weight: 620; line-height: 1.2; }
.field { display: grid; gap: 4px; }
.field label, legend { font-weight: 560; }
fieldset { margin: 0; padding: 0; border: 0; display: grid; gap: 8px; }
legend { padding: 0; margin-block-end: 4px; }
.choice { display: grid; grid-template-columns: auto 1fr; gap: 0 8px; align-items: baseline; padding: 8px 12px;
  border: 1px solid var(--_control-line); border-radius: 8px; cursor: pointer; }
.choice:has(:checked) { border-color: var(--_accent); box-shadow: inset 0 0 0 1px var(--_accent); }
.choice small { grid-column: 2; }
.choice input { accent-color: var(--_accent); }
input:not([type="radio"]), select, textarea {
  inline-size: 100%; min-block-size: 36px; padding: 6px 10px; font: inherit; color: inherit;
  background: var(--_surface); border: 1px solid var(--_control-line); border-radius: 8px;
}
textarea { min-block-size: 72px; resize: vertical; }
button {
  min-block-size: 36px; padding: 6px 14px; font: inherit; font-weight: 560; color: var(--_ink); cursor: pointer;
  background: var(--_surface); border: 1px solid var(--_control-line); border-radius: 8px;
}
button.primary { color: var(--_on-accent); background: var(--_accent); border-color: var(--_accent); }
button:disabled { color: var(--_ink-2); background: var(--_sunken); border: 1px dashed var(--_control-line); cursor: not-allowed; }
button[aria-busy="true"] { opacity: 0.7; cursor: progress; }
:focus-visible { outline: 2px solid var(--_focus); outline-offset: 2px; }
:host(:disabled) { opacity: 0.7; }
.actions { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; }
.actions:empty { display: none; }
.badge { display: inline-flex; justify-self: start; gap: 6px; align-items: center; padding: 1px 8px; font-size: 13px; white-space: nowrap;
  border: 1px solid currentcolor; border-radius: 999px; color: var(--_ink-2); }
.badge::before { content: "○"; }
.badge.running, .badge.starting, .badge.loaded { color: var(--_info); }
.badge.running::before, .badge.starting::before { content: "◐"; }
.badge.loaded::before { content: "▣"; }
.badge.paused::before { content: "⏸"; }
.badge.succeeded, .badge.proved { color: var(--_good); }
.badge.succeeded::before, .badge.proved::before { content: "✓"; }
.badge.failed { color: var(--_bad); }
.badge.failed::before { content: "✕"; }
.badge.cancelled::before { content: "⊘"; }
progress { inline-size: 100%; block-size: 8px; accent-color: var(--_accent); }
ul { list-style: none; margin: 0; padding: 0; display: grid; }
li { display: flex; flex-wrap: wrap; gap: 8px 16px; align-items: center; justify-content: space-between;
  padding-block: 12px; border-block-start: 1px solid var(--_line); }
li:first-child { border-block-start: 0; padding-block-start: 0; }
li > div:first-child { display: grid; gap: 4px; flex: 1 1 16rem; min-inline-size: 0; }
li .actions { flex: none; }
.verdict { padding-inline-start: 12px; border-inline-start: 3px solid var(--_ink-2); font-size: 17px; }
.verdict.better { border-color: var(--_good); }
.verdict.worse { border-color: var(--_warn); }
.verdict.not_known, .verdict.too_few { border-inline-start-style: dashed; }
[part~="alert"]:not(:empty) { margin-block-start: var(--_space); padding: 10px 12px; border: 1px solid var(--_bad);
  border-radius: 8px; color: var(--_bad); }
[part~="status"] { position: absolute; inline-size: 1px; block-size: 1px; margin: 0; overflow: hidden; clip-path: inset(50%);
  white-space: nowrap; }
@media (max-width: 30rem), (pointer: coarse) {
  input:not([type="radio"]), select, textarea { font-size: 16px; min-block-size: 44px; }
  button { min-block-size: 44px; }
}
`);
