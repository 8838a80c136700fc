import { create, type DescFile, type MessageInitShape } from '@bufbuild/protobuf';
import { Code } from '../errors.ts';
import {
  ServerReflectionResponseSchema,
  type ServerReflectionRequest,
  type ServerReflectionResponse,
} from '../gen/grpc/reflection/v1/reflection_pb.ts';
import { fileBytes, type DescriptorIndex } from './descriptor-index.ts';

/** Characters of a request that an error message repeats. */
const MAX_REPEATED = 200;

type Answer = NonNullable<MessageInitShape<typeof ServerReflectionResponseSchema>['messageResponse']>;

/**
 * Answers one question of a stream. What does not exist is an answer, not the end of the stream.
 * @param sent Names of the files that were sent on this stream; those that are sent now are added.
 */
export function answerReflection(
  index: DescriptorIndex,
  request: ServerReflectionRequest,
  sent: Set<string>,
): ServerReflectionResponse {
  return create(ServerReflectionResponseSchema, {
    validHost: request.host,
    originalRequest: request,
    messageResponse: answerTo(index, request.messageRequest, sent),
  });
}

function answerTo(
  index: DescriptorIndex,
  question: ServerReflectionRequest['messageRequest'],
  sent: Set<string>,
): Answer {
  switch (question.case) {
    case 'listServices':
      return { case: 'listServicesResponse', value: { service: index.services.map((name) => ({ name })) } };
    case 'fileByFilename':
      return withImports(index.file(question.value), `file ${shown(question.value)}`, sent);
    case 'fileContainingSymbol':
      return withImports(index.fileOf(question.value.replace(/^\./, '')), `symbol ${shown(question.value)}`, sent);
    case 'fileContainingExtension': {
      const { containingType, extensionNumber } = question.value;
      const file = index.fileOfExtension(containingType, extensionNumber);
      return withImports(file, `extension ${extensionNumber} of ${shown(containingType)}`, sent);
    }
    case 'allExtensionNumbersOfType': {
      const numbers = index.extensionNumbers(question.value);
      if (numbers === undefined) return failed(Code.NotFound, `there is no message type ${shown(question.value)}`);
      return {
        case: 'allExtensionNumbersResponse',
        value: { baseTypeName: question.value, extensionNumber: [...numbers] },
      };
    }
    case undefined:
      return failed(Code.InvalidArgument, 'message_request is required: what is asked for?');
    default:
      return question satisfies never;
  }
}

function withImports(file: DescFile | undefined, what: string, sent: Set<string>): Answer {
  if (file === undefined) return failed(Code.NotFound, `there is no ${what}`);
  // Asked for again, a file is sent again; only its imports are left out.
  sent.delete(file.proto.name);
  const files: DescFile[] = [];
  const add = (one: DescFile): void => {
    if (sent.has(one.proto.name)) return;
    sent.add(one.proto.name);
    files.push(one);
    for (const dependency of one.dependencies) add(dependency);
  };
  add(file);
  return { case: 'fileDescriptorResponse', value: { fileDescriptorProto: files.map(fileBytes) } };
}

function failed(code: Code, text: string): Answer {
  return { case: 'errorResponse', value: { errorCode: code, errorMessage: text } };
}

function shown(text: string): string {
  return text.length > MAX_REPEATED ? `"${text.slice(0, MAX_REPEATED)}" …` : `"${text}"`;
}
