/** ModelStreamInfer: requests and answers over one call, an answer for each request and in their order. */
import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { ModelInferRequest } from './messages.ts';

/** Requests of one stream that are worked on at the same time; more wait at their sender. */
const MOST_AT_ONCE = 32;

type Call = ServerDuplexStream<ModelInferRequest, object>;

/** A request that fails ends no stream: its answer carries the message instead of tensors. */
export const answerStream = (
  call: Call,
  infer: (request: ModelInferRequest) => Promise<object>,
  messageOf: (thrown: unknown) => string,
): void => {
  let answered = Promise.resolve();
  let underWay = 0;
  const answer = async (request: ModelInferRequest): Promise<object> => {
    try {
      return { error_message: '', infer_response: await infer(request) };
    } catch (thrown) {
      const { id, model_name, model_version } = request;
      return {
        error_message: messageOf(thrown),
        infer_response: { id, model_name, model_version },
      };
    }
  };
  call.on('data', (request: ModelInferRequest) => {
    if (++underWay >= MOST_AT_ONCE) call.pause();
    const own = answer(request);
    answered = answered.then(async () => {
      call.write(await own);
      underWay--;
      call.resume();
    });
  });
  call.on('end', () => {
    void answered.then(() => call.end());
  });
};
