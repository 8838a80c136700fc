import type { Migration } from './migration.ts';

/**
 * Machines write rows of their own, so that thousands can at once: what is connected to the ports of a switch, and their
 * VRFs, were parts of its body until now; the newest event and the number of those that are kept had to be searched for.
 */
const tables = `
-- No reference to the switch: it would lock a row that all its machines have in common.
CREATE TABLE switch_connection (
  switch TEXT NOT NULL,
  port TEXT NOT NULL,
  identifier TEXT NOT NULL,
  mac TEXT,
  machine TEXT NOT NULL,
  PRIMARY KEY (switch, port)
) STRICT;
CREATE INDEX switch_connection_machine ON switch_connection (machine);

CREATE TABLE switch_port_vrf (
  switch TEXT NOT NULL,
  port TEXT NOT NULL,
  vrf TEXT NOT NULL,
  PRIMARY KEY (switch, port)
) STRICT;

DROP TABLE switch_machine;

-- Counts changes; a new one has 1.
ALTER TABLE event_container ADD COLUMN revision INTEGER NOT NULL DEFAULT 1;
ALTER TABLE event_container ADD COLUMN kept INTEGER NOT NULL DEFAULT 0;
ALTER TABLE event_container ADD COLUMN newest_at INTEGER;
ALTER TABLE event_container ADD COLUMN newest_type INTEGER;
ALTER TABLE event_container ADD COLUMN newest_message TEXT;
UPDATE event_container SET
  kept = (SELECT count(*) FROM event e WHERE e.machine = event_container.machine),
  newest_at = (SELECT e.at FROM event e WHERE e.machine = event_container.machine ORDER BY e.sequence DESC LIMIT 1),
  newest_type = (SELECT e.type FROM event e WHERE e.machine = event_container.machine ORDER BY e.sequence DESC LIMIT 1),
  newest_message = (SELECT e.message FROM event e WHERE e.machine = event_container.machine ORDER BY e.sequence DESC LIMIT 1);
`;

const sqlite = `
INSERT INTO switch_connection (switch, port, identifier, mac, machine)
SELECT s.id, coalesce(json_extract(c.value, '$.nic.name'), ''), coalesce(json_extract(c.value, '$.nic.identifier'), ''),
  json_extract(c.value, '$.nic.mac'), json_extract(c.value, '$.machineId')
FROM switch s, json_each(s.body, '$.machineConnections') c WHERE json_extract(c.value, '$.machineId') <> ''
ON CONFLICT DO NOTHING;

INSERT INTO switch_port_vrf (switch, port, vrf)
SELECT s.id, json_extract(n.value, '$.name'), json_extract(n.value, '$.vrf')
FROM switch s, json_each(s.body, '$.nics') n
WHERE json_extract(n.value, '$.name') <> '' AND json_extract(n.value, '$.vrf') IS NOT NULL
ON CONFLICT DO NOTHING;

UPDATE switch SET body = json_remove(body, '$.machineConnections') WHERE json_extract(body, '$.machineConnections') IS NOT NULL;
UPDATE switch SET body = json_set(body, '$.nics', json((
  SELECT json_group_array(json(json_remove(n.value, '$.vrf')) ORDER BY n.key) FROM json_each(switch.body, '$.nics') n)))
WHERE EXISTS (SELECT 1 FROM json_each(switch.body, '$.nics') n WHERE json_extract(n.value, '$.vrf') IS NOT NULL);

-- Every machine would be looked up for its reference, and so be kept from changing meanwhile.
CREATE TABLE machine_bmc_free (
  id TEXT PRIMARY KEY,
  body TEXT NOT NULL
) STRICT;
INSERT INTO machine_bmc_free (id, body) SELECT id, body FROM machine_bmc;
DROP TABLE machine_bmc;
ALTER TABLE machine_bmc_free RENAME TO machine_bmc;
`;

/** PostgreSQL reads no JSON with NUL characters; where these are escaped twice, the text stays JSON, too. */
const BODY = String.raw`replace(s.body, '\u0000', '\ufffd')::json`;
/** What is left of a body: its keys and their order stay, which `jsonb` would change. */
const without = (json: string, key: string, value: string): string => `
  (SELECT '{' || coalesce(string_agg(to_json(k.key)::text || ':' || ${value}, ',' ORDER BY k.place), '') || '}'
   FROM json_each(${json}) WITH ORDINALITY AS k (key, value, place) WHERE k.key <> '${key}')`;
const NICS = `(SELECT '[' || coalesce(string_agg(${without('n.value', 'vrf', 'k.value::text')}, ',' ORDER BY n.place), '') || ']'
   FROM json_array_elements(f.value) WITH ORDINALITY AS n (value, place))`;

const postgres = `
INSERT INTO switch_connection (switch, port, identifier, mac, machine)
SELECT s.id, coalesce(c.value #>> '{nic,name}', ''), coalesce(c.value #>> '{nic,identifier}', ''),
  c.value #>> '{nic,mac}', c.value ->> 'machineId'
FROM switch s, json_array_elements(coalesce(${BODY} -> 'machineConnections', '[]')) c
WHERE c.value ->> 'machineId' <> ''
ON CONFLICT DO NOTHING;

INSERT INTO switch_port_vrf (switch, port, vrf)
SELECT s.id, n.value ->> 'name', n.value ->> 'vrf'
FROM switch s, json_array_elements(coalesce(${BODY} -> 'nics', '[]')) n
WHERE n.value ->> 'name' <> '' AND n.value ->> 'vrf' IS NOT NULL
ON CONFLICT DO NOTHING;

UPDATE switch s SET body = (
  SELECT '{' || coalesce(string_agg(to_json(f.key)::text || ':' ||
    CASE f.key WHEN 'nics' THEN ${NICS} ELSE f.value::text END, ',' ORDER BY f.place), '') || '}'
  FROM json_each(${BODY}) WITH ORDINALITY AS f (key, value, place) WHERE f.key <> 'machineConnections')
WHERE s.id IN (SELECT switch FROM switch_connection UNION SELECT switch FROM switch_port_vrf);

ALTER TABLE machine_bmc DROP CONSTRAINT machine_bmc_id_fkey;
`;

export const connections: Migration = { sqlite: `${tables}${sqlite}`, postgres: `${tables}${postgres}` };
