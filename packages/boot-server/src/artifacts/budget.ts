import { BootServerError, BootServerErrorCode } from '../errors.ts';

/** Memory that a file has, or is going to have. */
export interface Claim {
  /** Asks for more, if `bytes` is more than there is. Throws as `MemoryBudget.claim`. */
  grow(bytes: number): void;
  /** Gives back what is not needed, when the size is known. */
  settle(bytes: number): void;
  release(): void;
}

export interface MemoryBudget {
  readonly usedBytes: number;
  /**
   * Throws BootServerError ARTIFACT_TOO_LARGE for what can never fit, ARTIFACT_NO_ROOM for what does not fit beside that
   * which is being sent at this moment.
   */
  claim(uri: string, bytes: number): Claim;
}

/** `makeRoom` gives up one file that nobody uses; false when there is none. */
export function memoryBudget(maxBytes: number, makeRoom: () => boolean): MemoryBudget {
  let usedBytes = 0;
  const take = (uri: string, total: number, more: number): void => {
    if (total > maxBytes) throw tooLarge(uri, total, maxBytes);
    const fits = (): boolean => usedBytes + more <= maxBytes;
    while (!fits()) {
      if (makeRoom()) continue;
      throw new BootServerError(
        BootServerErrorCode.ArtifactNoRoom,
        `${uri} with ${total} bytes finds no room beside the ${usedBytes} bytes in use, of at most ${maxBytes}: it is tried again at the next request; if that happens often, raise artifacts.maxBytes`,
      );
    }
    usedBytes += more;
  };
  return {
    get usedBytes() {
      return usedBytes;
    },
    claim: (uri, bytes) => {
      take(uri, bytes, bytes);
      let mine = bytes;
      const set = (wanted: number): void => {
        usedBytes += wanted - mine;
        mine = wanted;
      };
      return {
        grow: (wanted) => {
          if (wanted <= mine) return;
          take(uri, wanted, wanted - mine);
          mine = wanted;
        },
        settle: set,
        release: () => set(0),
      };
    },
  };
}

function tooLarge(name: string, sizeBytes: number, maxBytes: number): BootServerError {
  return new BootServerError(
    BootServerErrorCode.ArtifactTooLarge,
    `${name} has ${sizeBytes} bytes, and at most ${maxBytes} may be held in memory: raise artifacts.maxBytes`,
  );
}
