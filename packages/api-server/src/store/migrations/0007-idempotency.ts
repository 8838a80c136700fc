/** What was made for which idempotency key, so that a repeated request makes nothing a second time. */
export const idempotency: string = `
CREATE TABLE idempotency (
  "user" TEXT NOT NULL,
  method TEXT NOT NULL,
  key TEXT NOT NULL,
  -- SHA-256 of the request, in hexadecimal.
  request TEXT NOT NULL,
  -- The id of what was made.
  made TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY ("user", method, key)
) STRICT;
CREATE INDEX idempotency_created_at ON idempotency (created_at);
`;
