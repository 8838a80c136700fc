import { z } from 'zod';

/** A path on the BMC itself: a link that led elsewhere would carry the password there. */
export const path: z.ZodType<string> = z.string().regex(/^\/(?!\/)[\u0021-\u007E]{0,1023}$/);
export const link: z.ZodType<{ readonly '@odata.id': string }> = z.object({ '@odata.id': path });
