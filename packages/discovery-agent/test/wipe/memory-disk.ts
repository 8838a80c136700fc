import { createHash } from 'node:crypto';
import type { BlockDisk } from '../../src/wipe/block-disk.ts';
import type { Place, Sample } from '../../src/wipe/samples.ts';

/** A disk in memory that behaves as the real one does through `block-io`, and can be broken. */
export class MemoryDisk implements BlockDisk {
  readonly content: Uint8Array;
  /** Writes fail from here on. */
  worn = false;
  /** Nothing can be read or written: a sanitize is going on. */
  busy = false;
  open = true;

  constructor(sizeBytes: number) {
    this.content = new Uint8Array(sizeBytes);
    this.scribble(1);
  }

  /** Fills it with what looks like content, another one for every seed. */
  scribble(seed: number): void {
    const noise = createHash('shake256', { outputLength: this.content.length }).update(`${seed}`);
    this.content.set(noise.digest());
  }

  sample(places: readonly Place[]): Promise<readonly Sample[]> {
    return Promise.resolve(
      places.map((place) => {
        if (this.busy) return { place, error: 'EIO: i/o error, read' };
        const bytes = this.content.subarray(place.offset, place.offset + place.length);
        const [first] = bytes;
        const uniform = Buffer.compare(bytes, Buffer.alloc(bytes.length, first)) === 0 ? first : undefined;
        return { place, sha256: createHash('sha256').update(bytes).digest('hex'), uniform };
      }),
    );
  }

  plant(places: readonly Place[], key: Uint8Array): Promise<void> {
    return this.#write(places, (place) => {
      const noise = createHash('shake256', { outputLength: place.length }).update(key).update(`${place.offset}`);
      this.content.set(noise.digest(), place.offset);
    });
  }

  zero(places: readonly Place[], progress?: (bytes: number) => void): Promise<void> {
    return this.#write(places, ({ offset, length }) => {
      this.content.fill(0, offset, offset + length / 2);
      progress?.(length / 2);
      this.content.fill(0, offset, offset + length);
    });
  }

  close(): Promise<void> {
    this.open = false;
    return Promise.resolve();
  }

  #write(places: readonly Place[], write: (place: Place) => void): Promise<void> {
    if (this.worn || this.busy) return Promise.reject(new Error('EIO: i/o error, write'));
    for (const place of places) write(place);
    return Promise.resolve();
  }
}
