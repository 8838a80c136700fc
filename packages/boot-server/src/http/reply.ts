import type { Request } from './request.ts';

/** GRUB 2.06 knows this name by letter, and starts no file whose size it does not know. */
export const CONTENT_LENGTH = 'Content-Length';

export function sendText(request: Request, status: number, text: string, type = 'text/plain; charset=utf-8'): void {
  const body = Buffer.from(text);
  request.response.writeHead(status, {
    'content-type': type,
    [CONTENT_LENGTH]: body.byteLength,
    'cache-control': 'no-store',
  });
  request.response.end(request.method === 'HEAD' ? undefined : body);
}

export function sendJson(
  request: Request,
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const body = Buffer.from(`${JSON.stringify(value, undefined, 2)}\n`);
  request.response.writeHead(status, {
    ...headers,
    'content-type': 'application/json',
    [CONTENT_LENGTH]: body.byteLength,
    'cache-control': 'no-store',
  });
  request.response.end(request.method === 'HEAD' ? undefined : body);
}

/** An error for programs: `code` is stable, `message` says what to do. */
export function sendError(
  request: Request,
  status: number,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  sendJson(request, status, { code, message }, headers);
}
