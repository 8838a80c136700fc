/** Wipe orders of machines that were taken out of the records before they had carried them out. */
export const owedWipes: string = `
CREATE TABLE owed_wipe (
  machine TEXT PRIMARY KEY,
  wipe TEXT NOT NULL
) STRICT;
`;
