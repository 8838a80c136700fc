const ENTITY = `
  id TEXT PRIMARY KEY,
  body TEXT NOT NULL,
  generation INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL`;

/** Everything that a machine is allocated by: sizes, images, projects, networks; and what is done about it, by whom. */
export const controlPlane: string = `
CREATE TABLE size (${ENTITY}) STRICT;

CREATE TABLE size_reservation (${ENTITY},
  project TEXT NOT NULL,
  size TEXT NOT NULL
) STRICT;
CREATE INDEX size_reservation_size ON size_reservation (size);
CREATE INDEX size_reservation_project ON size_reservation (project);

CREATE TABLE size_image_constraint (${ENTITY}) STRICT;

CREATE TABLE image (${ENTITY}) STRICT;

CREATE TABLE filesystem_layout (${ENTITY}) STRICT;

CREATE TABLE tenant (${ENTITY}) STRICT;

-- The id is tenant and member, joined by a slash; neither has one.
CREATE TABLE tenant_member (${ENTITY},
  tenant TEXT NOT NULL,
  member TEXT NOT NULL
) STRICT;
CREATE INDEX tenant_member_tenant ON tenant_member (tenant);
CREATE INDEX tenant_member_member ON tenant_member (member);

CREATE TABLE project (${ENTITY},
  tenant TEXT NOT NULL
) STRICT;
CREATE INDEX project_tenant ON project (tenant);

CREATE TABLE project_member (${ENTITY},
  project TEXT NOT NULL,
  member TEXT NOT NULL
) STRICT;
CREATE INDEX project_member_project ON project_member (project);
CREATE INDEX project_member_member ON project_member (member);

-- The id is the secret: owners see it again, to hand it on or to delete the invite.
CREATE TABLE project_invite (${ENTITY},
  project TEXT NOT NULL
) STRICT;
CREATE INDEX project_invite_project ON project_invite (project);

CREATE TABLE tenant_invite (${ENTITY},
  tenant TEXT NOT NULL
) STRICT;
CREATE INDEX tenant_invite_tenant ON tenant_invite (tenant);

CREATE TABLE network (${ENTITY},
  project TEXT NOT NULL,
  partition TEXT NOT NULL,
  parent TEXT NOT NULL,
  type INTEGER NOT NULL
) STRICT;
CREATE INDEX network_project ON network (project);
CREATE INDEX network_parent ON network (parent);

-- No prefix is handed out twice within a namespace, whatever the program gets wrong. The namespace is empty, or a project.
CREATE TABLE network_prefix (
  namespace TEXT NOT NULL,
  prefix TEXT NOT NULL,
  network TEXT NOT NULL REFERENCES network (id) ON DELETE CASCADE,
  PRIMARY KEY (namespace, prefix)
) STRICT;
CREATE INDEX network_prefix_network ON network_prefix (network);

-- The id is the UUID; address and namespace are what nobody else may have.
CREATE TABLE ip (${ENTITY},
  namespace TEXT NOT NULL,
  address TEXT NOT NULL,
  network TEXT NOT NULL,
  project TEXT NOT NULL,
  machine TEXT NOT NULL,
  UNIQUE (namespace, address)
) STRICT;
CREATE INDEX ip_network ON ip (network);
CREATE INDEX ip_project ON ip (project);
CREATE INDEX ip_machine ON ip (machine);

-- VRFs and ASNs: whoever has a number is its owner.
CREATE TABLE pool_number (
  pool TEXT NOT NULL,
  number INTEGER NOT NULL,
  owner TEXT NOT NULL,
  PRIMARY KEY (pool, number)
) STRICT;
CREATE INDEX pool_number_owner ON pool_number (pool, owner);

CREATE TABLE task (
  id TEXT PRIMARY KEY,
  queue TEXT NOT NULL,
  type TEXT NOT NULL,
  payload TEXT NOT NULL,
  state INTEGER NOT NULL,
  run_at INTEGER NOT NULL,
  lease_until INTEGER NOT NULL,
  retried INTEGER NOT NULL,
  last_error TEXT NOT NULL,
  last_failed_at INTEGER,
  created_at INTEGER NOT NULL,
  completed_at INTEGER,
  result TEXT NOT NULL
) STRICT;
CREATE INDEX task_due ON task (state, run_at);

CREATE TABLE bmc_command (
  id TEXT PRIMARY KEY,
  machine TEXT NOT NULL,
  partition TEXT NOT NULL,
  command INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  delivered_at INTEGER,
  done_at INTEGER,
  error TEXT
) STRICT;
CREATE INDEX bmc_command_partition ON bmc_command (partition, done_at);
CREATE INDEX bmc_command_machine ON bmc_command (machine);

CREATE TABLE audit (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  uuid TEXT NOT NULL,
  phase INTEGER NOT NULL,
  at INTEGER NOT NULL,
  caller TEXT NOT NULL,
  tenant TEXT NOT NULL,
  project TEXT NOT NULL,
  method TEXT NOT NULL,
  source_ip TEXT NOT NULL,
  result_code INTEGER,
  body TEXT NOT NULL
) STRICT;
CREATE INDEX audit_uuid ON audit (uuid);
CREATE INDEX audit_at ON audit (at);
CREATE INDEX audit_tenant ON audit (tenant, at);
`;
