/** An image that the API knows. */
export interface ListedImage {
  /** `debian-12.0.20260101`. */
  readonly id: string;
  readonly url: string;
  /** Milliseconds since the epoch; undefined never expires. */
  readonly expiresAt: number | undefined;
}

/** What the API wants the partition to have at hand. Each rejects when the API cannot be asked. */
export interface ImageLists {
  images(): Promise<readonly ListedImage[]>;
  /** URIs of kernel and initrd of the partition; empty when it has none. */
  bootFiles(): Promise<readonly string[]>;
}
