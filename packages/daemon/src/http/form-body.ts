/** Reads forms with a file: multipart, limited like any other body. */
import { errorMessage, TollamaError } from '@tollama/core/errors';
import type { Context } from 'hono';
import { readBytes } from './body-bytes.ts';

export interface FormBody {
  readonly file: File;
  /** The other fields, by name; the last one where a name comes twice. */
  readonly fields: Readonly<Record<string, string>>;
}

const MULTIPART = /^multipart\/form-data\s*;/i;

const refuse = (message: string, cause?: unknown): never => {
  throw new TollamaError('INVALID_REQUEST', message, {
    hint: "send multipart/form-data with the table in the field 'file'",
    cause,
  });
};

/** @throws TollamaError INVALID_REQUEST for another body, BODY_TOO_LARGE before it is read whole */
export const readForm = async (c: Context, maxBytes: number): Promise<FormBody> => {
  const type = c.req.header('content-type') ?? '';
  if (!MULTIPART.test(type)) refuse(`content-type '${type || 'none'}' is not multipart/form-data`);
  const bytes = await readBytes(c.req.raw, maxBytes);
  const form = await new Response(bytes as Uint8Array<ArrayBuffer>, {
    headers: { 'content-type': type },
  })
    .formData()
    .catch((error: unknown) => refuse(`the form cannot be read: ${errorMessage(error)}`, error));
  const file = form.get('file');
  if (!(file instanceof File)) return refuse("the field 'file' holds no file");
  const fields: Record<string, string> = {};
  for (const [name, value] of form) if (typeof value === 'string') fields[name] = value;
  return { file, fields };
};
