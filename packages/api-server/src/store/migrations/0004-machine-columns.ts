/** Who has a machine, and of what size it is: what allocations search by. No older version allocated, or knew sizes. */
export const machineColumns: string = `
ALTER TABLE machine ADD COLUMN size TEXT NOT NULL DEFAULT 'unknown';
ALTER TABLE machine ADD COLUMN project TEXT NOT NULL DEFAULT '';
CREATE INDEX machine_size ON machine (partition, size);
CREATE INDEX machine_project ON machine (project);
`;
