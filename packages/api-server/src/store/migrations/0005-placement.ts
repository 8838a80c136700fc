import type { Migration } from './migration.ts';

/** What allocations, switches and filters search by, so that no body is read to be passed over. */
const columns = `
ALTER TABLE machine ADD COLUMN rack TEXT NOT NULL DEFAULT '';
-- Numbers of the contract's enumerations; the role of a machine that nobody has is 0.
ALTER TABLE machine ADD COLUMN state INTEGER NOT NULL DEFAULT 0;
ALTER TABLE machine ADD COLUMN role INTEGER NOT NULL DEFAULT 0;
-- Placement labels of the allocation as JSON; empty for none.
ALTER TABLE machine ADD COLUMN placement TEXT NOT NULL DEFAULT '';
-- 1: it has disks to erase.
ALTER TABLE machine ADD COLUMN wipe INTEGER NOT NULL DEFAULT 0;
DROP INDEX machine_size;
DROP INDEX machine_project;
-- With all that is asked of machines that nobody has, the rows themselves are not read.
CREATE INDEX machine_free ON machine (partition, size, project, state, wipe, rack, id);
CREATE INDEX machine_role ON machine (project, role, partition, size, rack, placement);

-- Which machines are on the ports of which switch; follows from the bodies of switches.
CREATE TABLE switch_machine (
  switch TEXT NOT NULL REFERENCES switch (id) ON DELETE CASCADE,
  machine TEXT NOT NULL,
  PRIMARY KEY (switch, machine)
) STRICT;
CREATE INDEX switch_machine_machine ON switch_machine (machine);
`;

/** `at` makes the expression that reads a text out of a body, along these keys; NULL where there is none. */
const fill = (at: (...keys: string[]) => string): string => `
UPDATE machine SET
  rack = coalesce(${at('rack')}, ''),
  state = CASE ${at('status', 'condition', 'state')}
    WHEN 'MACHINE_STATE_TAINTED' THEN 1 WHEN 'MACHINE_STATE_LOCKED' THEN 2 WHEN 'MACHINE_STATE_AVAILABLE' THEN 3 ELSE 0 END,
  role = CASE ${at('allocation', 'allocationType')}
    WHEN 'MACHINE_ALLOCATION_TYPE_MACHINE' THEN 1 WHEN 'MACHINE_ALLOCATION_TYPE_FIREWALL' THEN 2 ELSE 0 END,
  placement = coalesce(${at('allocation', 'placementLabels', 'labels')}, ''),
  wipe = CASE WHEN ${at('meta', 'labels', 'labels', 'ingot.dev/wipe')} IS NULL THEN 0 ELSE 1 END;
`;

/**
 * PostgreSQL reads no JSON with NUL characters, which firmware may have put into one; where these are escaped twice, the
 * text stays JSON, too.
 */
const BODY = String.raw`replace(body, '\u0000', '\ufffd')::json`;

export const placement: Migration = {
  sqlite: `${columns}${fill((...keys) => `json_extract(body, '$${keys.map((key) => `."${key}"`).join('')}')`)}
INSERT INTO switch_machine (switch, machine)
SELECT DISTINCT s.id, json_extract(c.value, '$.machineId')
FROM switch s, json_each(s.body, '$.machineConnections') c WHERE json_extract(c.value, '$.machineId') <> '';
`,
  postgres: `${columns}${fill((...keys) => `(${BODY} #>> '{${keys.join(',')}}')`)}
INSERT INTO switch_machine (switch, machine)
SELECT DISTINCT s.id, c.value ->> 'machineId'
FROM switch s, json_array_elements(coalesce(${BODY} -> 'machineConnections', '[]')) c
WHERE c.value ->> 'machineId' <> '';
`,
};
