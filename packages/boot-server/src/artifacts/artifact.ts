import type { Content } from './content.ts';

/**
 * A file, whole and in memory, as one holder has it. It never changes: a newer version is another artifact. Whoever got
 * it keeps it whole, whatever happens to the file or the store, until it calls `release` (or leaves a `using` block).
 */
export interface Artifact extends Disposable {
  readonly uri: string;
  readonly sizeBytes: number;
  /** 64 hex digits, computed when it was loaded. */
  readonly sha256: string;
  /** A sealed memfd of `sizeBytes`, open until the release; undefined where there is no libc. Never close it. */
  readonly fd: number | undefined;
  /** Up to `length` bytes, less at the end; not to be written into, and good after the release as well. */
  read(position: number, length: number): Uint8Array;
  /** A hold of its own, for a second user. */
  retain(): Artifact;
  /** Ends this hold; harmless the second time. The memory goes with the last one. */
  release(): void;
}

/** Content that many hold at once: closed by the last. Begins with one hold, its maker's. */
export class SharedContent {
  readonly uri: string;
  readonly content: Content;
  readonly #onClose: () => void;
  #holds = 1;

  constructor(uri: string, content: Content, onClose: () => void) {
    this.uri = uri;
    this.content = content;
    this.#onClose = onClose;
  }

  /** Whether anybody but the maker holds it. */
  get isInUse(): boolean {
    return this.#holds > 1;
  }

  hold(): Artifact {
    if (this.#holds === 0) throw new Error(`${this.uri} is held after its last release`);
    this.#holds += 1;
    return new HeldArtifact(this);
  }

  release(): void {
    this.#holds -= 1;
    if (this.#holds > 0) return;
    this.content.close();
    this.#onClose();
  }
}

class HeldArtifact implements Artifact {
  readonly #shared: SharedContent;
  #isReleased = false;

  constructor(shared: SharedContent) {
    this.#shared = shared;
  }

  get uri(): string {
    return this.#shared.uri;
  }

  get sizeBytes(): number {
    return this.#shared.content.sizeBytes;
  }

  get sha256(): string {
    return this.#shared.content.sha256;
  }

  get fd(): number | undefined {
    // Never a number that may by now be another file's.
    this.#check();
    return this.#shared.content.fd;
  }

  read(position: number, length: number): Uint8Array {
    this.#check();
    return this.#shared.content.read(position, length);
  }

  retain(): Artifact {
    this.#check();
    return this.#shared.hold();
  }

  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#shared.release();
  }

  [Symbol.dispose](): void {
    this.release();
  }

  #check(): void {
    if (this.#isReleased) throw new Error(`${this.#shared.uri} is used after its release`);
  }
}
