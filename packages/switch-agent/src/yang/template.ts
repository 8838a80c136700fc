/** A Jinja template of SONiC's build, rendered; or the line of what could not be, counted from 1. */
export type Rendered =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly line: number; readonly found: string };

// The one question that the templates ask: is this for the management framework's own validator, or for everybody else?
const CHOICE = /\{%-?\s*if yang_model_type == "cvl"\s*-?%\}.*?\{%-?\s*else\s*-?%\}(.*?)\{%-?\s*endif\s*-?%\}/gs;

const LEFT_OVER = /\{[%{#][^\n]*/;

/** Renders what SONiC's build renders for its Python tools: the `else` branches. */
export function renderTemplate(template: string): Rendered {
  const text = template.replaceAll(CHOICE, (_choice, otherwise: string) => otherwise);
  const left = LEFT_OVER.exec(text);
  if (left === null) return { ok: true, text };
  const line = template.slice(0, template.indexOf(left[0])).split('\n').length;
  return { ok: false, line, found: left[0].slice(0, 60) };
}
