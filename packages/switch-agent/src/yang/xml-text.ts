// XML 1.0, section 2.2; a lone surrogate is no character at all.
const FORBIDDEN = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u;

// Line breaks as references: an element then stands in one line, and the line of an error says which element it is.
const REFERENCES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};

/** The first character that no XML can carry, as `U+0000`; undefined when there is none. */
export function forbiddenCharacter(text: string): string | undefined {
  const code = FORBIDDEN.exec(text)?.[0].codePointAt(0);
  return code === undefined ? undefined : `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
}

/** An element in one line. `name` is one of a model, `value` has no forbidden character. */
export function element(name: string, value: string): string {
  return `<${name}>${value.replaceAll(/[&<>\t\n\r]/g, (character) => REFERENCES[character] ?? character)}</${name}>`;
}
