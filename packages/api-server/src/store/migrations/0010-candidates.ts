/** Whoever waits is looked up among the machines without reading their rows. */
export const candidates: string = `
CREATE INDEX machine_candidate ON machine (id, partition, size, project, state, wipe, rack);
`;
