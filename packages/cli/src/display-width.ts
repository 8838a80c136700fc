// Unicode Standard Annex 11 has the full story; these are the ranges that occur in names of people, places and marks.
const WIDE =
  /^(?:\p{Emoji_Presentation}|\p{Extended_Pictographic}\uFE0F|[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6])/u;
const CONTROL = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;
const PLAIN = /^[ -~]*$/;
const SEGMENTER = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** How many columns a terminal needs for `text`, which has no control characters. */
export function displayWidth(text: string): number {
  // Most of a table of thousands is plain.
  if (PLAIN.test(text)) return text.length;
  let width = 0;
  for (const { segment } of SEGMENTER.segment(text)) width += WIDE.test(segment) ? 2 : 1;
  return width;
}

/**
 * `text` without what could move the cursor or colour the terminal: names and messages come from machines, which are not
 * to be trusted with an operator's screen.
 */
export function printable(text: string): string {
  return text.replaceAll(CONTROL, '\u{FFFD}');
}

/** `text` of several lines without what could move the cursor or colour the terminal; line ends and tabs stay. */
export function printableLines(text: string): string {
  return text.replaceAll(CONTROL, (found) => (found === '\n' || found === '\t' ? found : '\u{FFFD}'));
}

/** `text` with its control characters, but for line ends, as JSON and YAML's quoted strings spell them. */
export function escapeControls(text: string): string {
  return text.replaceAll(CONTROL, (found) =>
    found === '\n'
      ? found
      : [...Array(found.length).keys()]
          .map((index) => `\\u${found.charCodeAt(index).toString(16).padStart(4, '0')}`)
          .join(''),
  );
}

/** Whether `text` has characters that a terminal may take for more than letters. */
export function hasControls(text: string): boolean {
  return text.search(CONTROL) >= 0;
}
