import { TollamaError } from '@tollama/core/errors';

const ID = /^(?!\d+$)[\w.-]{1,200}$/;

/** Throws INVALID_REQUEST for an id that not every queue can keep. */
export const checkJobId = (id: string): void => {
  if (ID.test(id)) return;
  throw new TollamaError('INVALID_REQUEST', `job id ${JSON.stringify(id)} is not valid`, {
    hint: 'use up to 200 letters, digits, -, _ and ., at least one of them no digit',
  });
};
