/** Answers that break off, or that no daemon gave: told like every other failure. */
import { errorMessage, TollamaError } from '@tollama/core/errors';

const CUT_HINT = 'the daemon may have ended; its log tells why';

/**
 * What went wrong while an answer was read. `fetch` throws a TypeError for a connection that broke; anything else
 * (the reason of an abort) stays what it is.
 */
export const readFailure = (url: string, thrown: unknown): unknown => {
  if (!(thrown instanceof TypeError)) return thrown;
  const why = thrown.cause === undefined ? thrown : thrown.cause;
  const message = `the answer of ${url} broke off: ${errorMessage(why)}`;
  return new TollamaError('DAEMON_UNREACHABLE', message, { hint: CUT_HINT, cause: thrown });
};

/** The JSON in a text of an answer. Throws DAEMON_UNREACHABLE when it is none. */
export const parseAnswer = (url: string, text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const shown = text.length > 60 ? `${text.slice(0, 60)}...` : text;
    throw new TollamaError('DAEMON_UNREACHABLE', `the answer of ${url} is no JSON: '${shown}'`, {
      hint: 'does a tollama daemon answer at this address, and was the answer cut off?',
      cause,
    });
  }
};

/** The body of an answer as JSON. Throws DAEMON_UNREACHABLE when it breaks off or is none. */
export const readAnswer = async (response: Response): Promise<unknown> => {
  const text = await response.text().catch((error: unknown) => {
    throw readFailure(response.url, error);
  });
  return parseAnswer(response.url, text);
};
