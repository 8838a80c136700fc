/** A name from a hostile file must not move the cursor of the terminal that it is shown on. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\u{2028}\u{2029}]/gu, (character) => {
    const code = character.codePointAt(0) ?? 0;
    return String.raw`\u{${code.toString(16)}}`;
  });
}
