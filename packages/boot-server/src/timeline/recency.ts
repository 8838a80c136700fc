/** What a `RecencyMap` keeps; the two links are its own. */
export interface Recent<Node> {
  readonly mac: string;
  older: Node | undefined;
  newer: Node | undefined;
}

/**
 * A map that knows which of its nodes was touched the longest ago. Linked through the nodes: a Map in the order of
 * insertion would have its iterator skip every deleted place at each eviction, some 4 µs with 2,048 nodes.
 */
export class RecencyMap<Node extends Recent<Node>> {
  readonly #nodes = new Map<string, Node>();
  #oldest: Node | undefined;
  #newest: Node | undefined;

  get size(): number {
    return this.#nodes.size;
  }

  get oldest(): Node | undefined {
    return this.#oldest;
  }

  get(mac: string): Node | undefined {
    return this.#nodes.get(mac);
  }

  values(): Iterable<Node> {
    return this.#nodes.values();
  }

  /** Adds a node that is in no map, as the newest. */
  add(node: Node): void {
    this.#nodes.set(node.mac, node);
    this.#append(node);
  }

  /** Makes a node of this map the newest. */
  touch(node: Node): void {
    if (node === this.#newest) return;
    this.#unlink(node);
    this.#append(node);
  }

  delete(node: Node): void {
    this.#nodes.delete(node.mac);
    this.#unlink(node);
  }

  #append(node: Node): void {
    node.older = this.#newest;
    if (this.#newest !== undefined) this.#newest.newer = node;
    this.#oldest ??= node;
    this.#newest = node;
  }

  #unlink(node: Node): void {
    if (node.older === undefined) this.#oldest = node.newer;
    else node.older.newer = node.newer;
    if (node.newer === undefined) this.#newest = node.older;
    else node.newer.older = node.older;
    node.older = undefined;
    node.newer = undefined;
  }
}
