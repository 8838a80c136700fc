/** What a device or a program says of itself goes to consoles, logs and the API: one line, without control characters. */
export function printable(text: string, maxLength = 256): string {
  return text
    .replaceAll(/[\p{Cc}\p{Cf}\uFFFD\s]+/gu, ' ')
    .trim()
    .slice(0, maxLength);
}
