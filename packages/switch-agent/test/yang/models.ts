import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where yanglint is; the tests that start it are skipped without. */
const yanglint: string | undefined = (process.env['PATH'] ?? '')
  .split(':')
  .map((folder) => join(folder, 'yanglint'))
  .find((file) => existsSync(file));

/** SONiC's own models: where `INGOT_YANG_MODELS` says, or beside the checkout. Not part of this project. */
export const sonicModels: string | undefined = [
  process.env['INGOT_YANG_MODELS'],
  fileURLToPath(new URL('../../../../../shared/sonic-yang-models', import.meta.url)),
].find((folder) => folder !== undefined && existsSync(folder));

/** Why a test is skipped; undefined when it is not. */
export function whySkipped(needsSonicModels: boolean): string | undefined {
  if (yanglint === undefined) return 'yanglint is not installed';
  return needsSonicModels && sonicModels === undefined
    ? 'set INGOT_YANG_MODELS to the folder of SONiC’s models'
    : undefined;
}

const MINI_PORT = `module mini-port {
  namespace "urn:test:mini-port";
  prefix port;
  typedef mode { type enumeration { enum on; enum off; } }
  container mini-port {
    container PORT {
      list PORT_LIST {
        key "name";
        leaf name { type string { pattern "Ethernet[0-9]+"; } }
        leaf lanes { type string { length "1..128"; } mandatory true; }
        leaf mtu { type uint16 { range "68..9216"; } }
        leaf autoneg { type mode; }
        leaf passkey { type string { length "4..8"; } }
        leaf-list adv_speeds { type uint32; }
        choice addressing {
          case static { leaf address { type string; } }
          case dynamic { leaf pool { type string; } }
        }
      }
    }
    container MAP {
      list MAP_LIST {
        key "name";
        leaf name { type string; }
        list MAP {
          key "dscp";
          leaf dscp { type uint8 { range "0..63"; } }
          leaf tc { type uint8 { range "0..7"; } }
        }
      }
    }
    container SETTINGS {
      container global {
        leaf level { type uint8; default 3; }
      }
    }
  }
  rpc reset { output { leaf done { type boolean; } } }
}
`;

// As SONiC's templates: one question, and the rest is for everybody but the management framework.
const MINI_VLAN = `{% if yang_model_type == "cvl" %}
this is no YANG
{% else %}
module mini-vlan {
{% endif %}
  namespace "urn:test:mini-vlan";
  prefix vlan;
  import mini-port { prefix port; }
  container mini-vlan {
    container VLAN {
      list VLAN_LIST {
        key "name";
        leaf name { type string { pattern "Vlan[0-9]+"; } }
        leaf vlanid { type uint16; must "concat('Vlan', .) = ../name" { error-message "vlanid must be in the name"; } }
        leaf-list dhcp_servers { type string; }
      }
    }
    container VLAN_MEMBER {
      list VLAN_MEMBER_LIST {
        key "name port";
        leaf name { type leafref { path "/vlan:mini-vlan/vlan:VLAN/vlan:VLAN_LIST/vlan:name"; } }
        leaf port { type leafref { path "/port:mini-port/port:PORT/port:PORT_LIST/port:name"; } }
        leaf tagging_mode { type enumeration { enum tagged; enum untagged; } mandatory true; }
      }
    }
    container VLAN_INTERFACE {
      list VLAN_INTERFACE_LIST {
        key "name";
        leaf name { type leafref { path "/vlan:mini-vlan/vlan:VLAN/vlan:VLAN_LIST/vlan:name"; } }
        leaf zone { type uint8; }
      }
      list VLAN_INTERFACE_IPPREFIX_LIST {
        key "name ip-prefix";
        leaf name { type leafref { path "../../VLAN_INTERFACE_LIST/name"; } }
        leaf ip-prefix { type string; }
        leaf metric { type uint8; }
      }
    }
  }
}
`;

/** Small models in SONiC's style, for what shows without its own: a folder that goes when it is disposed of. */
export async function miniModels(): Promise<AsyncDisposable & { readonly folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'ingot-mini-models-'));
  await writeFile(join(folder, 'mini-port.yang'), MINI_PORT);
  await writeFile(join(folder, 'mini-vlan.yang.j2'), MINI_VLAN);
  return { folder, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}
