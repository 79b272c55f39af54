// The looks of the editor, made of the tokens of the style sheet: they reach into the shadow root.
import { HighlightStyle } from "@codemirror/language";
import { EditorView } from "@codemirror/view";
import { tags } from "@lezer/highlight";

export const theme = EditorView.theme({
  "&": {
    color: "var(--ink)",
    backgroundColor: "var(--well)",
    font: "400 0.8125rem/1.6 var(--mono)",
    blockSize: "100%",
  },
  // The host draws it around everything, gutters and panels included.
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.6", scrollbarWidth: "thin" },
  ".cm-content": { caretColor: "var(--ink)", paddingBlock: "10px" },
  ".cm-cursor": { borderInlineStartColor: "var(--ink)", borderInlineStartWidth: "2px" },
  ".cm-gutters": {
    backgroundColor: "var(--well)",
    color: "var(--ink-3)",
    borderInlineEnd: "1px solid var(--line-soft)",
  },
  ".cm-lineNumbers .cm-gutterElement": { minInlineSize: "34px", paddingInline: "8px 4px" },
  ".cm-activeLine, .cm-activeLineGutter": {
    backgroundColor: "color-mix(in oklab, var(--accent) 7%, transparent)",
  },
  ".cm-activeLineGutter": { color: "var(--ink)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground":
    { background: "color-mix(in oklab, var(--accent) 28%, transparent) !important" },
  ".cm-matchingBracket, &.cm-focused .cm-matchingBracket": {
    backgroundColor: "color-mix(in oklab, var(--accent) 20%, transparent)",
    outline: "1px solid var(--accent)",
  },
  ".cm-selectionMatch": { backgroundColor: "color-mix(in oklab, var(--info) 18%, transparent)" },
  ".cm-searchMatch": {
    backgroundColor: "color-mix(in oklab, var(--warning) 30%, transparent)",
    outline: "1px solid var(--warning)",
  },
  ".cm-foldPlaceholder": {
    backgroundColor: "var(--raise)",
    borderColor: "var(--line)",
    color: "var(--ink-2)",
  },
  // The package draws its waves with data: images, which the CSP blocks.
  ".cm-lintRange": { backgroundImage: "none !important", paddingBlockEnd: "1px" },
  ".cm-lintRange-error": {
    textDecoration: "underline wavy var(--critical) 1px",
    backgroundColor: "color-mix(in oklab, var(--critical) 12%, transparent)",
  },
  ".cm-lintRange-warning": {
    textDecoration: "underline wavy var(--warning) 1px",
    backgroundColor: "color-mix(in oklab, var(--warning) 14%, transparent)",
  },
  ".cm-lintPoint::after": { borderBlockEndColor: "var(--critical)" },
  ".cm-tooltip": {
    color: "var(--ink)",
    backgroundColor: "var(--panel)",
    border: "1px solid var(--line)",
    borderRadius: "8px",
    boxShadow: "var(--shadow-pop)",
    fontFamily: "var(--sans)",
    overflow: "clip",
    maxInlineSize: "min(460px, 90vw)",
  },
  ".cm-tooltip.cm-completionInfo": { padding: "8px 12px", maxInlineSize: "340px" },
  ".cm-tooltip-autocomplete > ul": { font: "400 0.8125rem/1.5 var(--mono)", maxBlockSize: "15em" },
  ".cm-tooltip-autocomplete > ul > li": { padding: "3px 10px !important" },
  ".cm-tooltip-autocomplete > ul > li[aria-selected]": {
    color: "var(--ink)",
    background: "color-mix(in oklab, var(--accent) 20%, var(--panel))",
  },
  ".cm-completionDetail": { color: "var(--ink-3)", fontStyle: "normal", marginInlineStart: "12px" },
  ".cm-completionMatchedText": { textDecoration: "none", color: "var(--accent-fg)" },
  ".cm-hover": { padding: "8px 12px", fontSize: "0.8125rem", lineHeight: "1.5" },
  ".cm-hover b": { font: "600 0.8125rem var(--mono)" },
  ".cm-hover p": { margin: "3px 0 0" },
  ".cm-hover code": { font: "400 0.92em var(--mono)", color: "var(--accent-fg)" },
  ".cm-hover i": { color: "var(--ink-3)", fontStyle: "normal", marginInlineStart: "8px" },
  ".cm-diagnostic": {
    padding: "8px 12px",
    fontSize: "0.8125rem",
    borderInlineStart: "3px solid var(--critical)",
    whiteSpace: "pre-wrap",
  },
  ".cm-diagnostic-warning": { borderInlineStartColor: "var(--warning)" },
  ".cm-diagnosticAction": {
    font: "550 0.75rem var(--sans)",
    color: "var(--on-accent)",
    backgroundColor: "var(--accent)",
    borderRadius: "6px",
    padding: "4px 9px",
  },
  ".cm-panels": {
    color: "var(--ink)",
    backgroundColor: "var(--raise)",
    borderColor: "var(--line) !important",
    fontFamily: "var(--sans)",
  },
  ".cm-panel.cm-search": { padding: "8px 30px 8px 10px", fontSize: "0.8125rem" },
  ".cm-panel.cm-search label": { fontSize: "0.75rem" },
  ".cm-textfield": {
    color: "var(--ink)",
    backgroundColor: "var(--panel)",
    border: "1px solid var(--line-strong)",
    borderRadius: "6px",
    padding: "3px 8px",
  },
  ".cm-button": {
    color: "var(--ink-2)",
    background: "var(--panel)",
    border: "1px solid var(--line)",
    borderRadius: "6px",
    padding: "3px 9px",
  },
  ".cm-panel.cm-panel-lint ul [aria-selected]": {
    color: "var(--ink)",
    backgroundColor: "color-mix(in oklab, var(--accent) 14%, var(--panel))",
  },
});

export const colours = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--accent-fg)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--ok-fg)" },
  { tag: tags.comment, color: "var(--ink-3)", fontStyle: "italic" },
  { tag: [tags.keyword, tags.labelName, tags.typeName, tags.meta], color: "var(--warning-fg)" },
  {
    tag: [tags.separator, tags.punctuation, tags.squareBracket, tags.brace],
    color: "var(--ink-2)",
  },
]);
