/** Which bytes of a body are asked for: `first` and `last` inclusive. */
export type ByteRange =
  | { readonly kind: 'whole' }
  | { readonly kind: 'part'; readonly first: number; readonly last: number }
  | { readonly kind: 'unsatisfiable' };

/**
 * Reads a Range header (RFC 9110 §14.2) for a body of `size` bytes. What is malformed, of another unit, or asks for
 * several ranges gets the whole body, as the section allows.
 */
export function parseRange(header: string | undefined, size: number): ByteRange {
  const match = /^bytes=\s*(?<first>[0-9]{0,15})-(?<last>[0-9]{0,15})\s*$/i.exec(header ?? '');
  const { first: firstText, last: lastText } = match?.groups ?? {};
  if (firstText === undefined || lastText === undefined || (firstText === '' && lastText === ''))
    return { kind: 'whole' };
  if (firstText === '') {
    const suffix = Number(lastText);
    if (suffix === 0 || size === 0) return { kind: 'unsatisfiable' };
    return { kind: 'part', first: Math.max(0, size - suffix), last: size - 1 };
  }
  const first = Number(firstText);
  const last = lastText === '' ? size - 1 : Math.min(Number(lastText), size - 1);
  if (lastText !== '' && Number(lastText) < first) return { kind: 'whole' };
  if (first >= size) return { kind: 'unsatisfiable' };
  return { kind: 'part', first, last };
}
