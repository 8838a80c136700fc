import type { FabricModel } from '../fabric-model.ts';
import type { Lines } from './filters.ts';
import type { IncludeFile } from './include-file.ts';
import {
  head,
  managementRoutes,
  policySection,
  portSection,
  tenantSection,
  underlaySection,
  vrfSection,
} from './sections.ts';
import type { RenderSettings } from './settings.ts';

/** Where a line of the operator's was written. */
export interface Origin {
  readonly path: string;
  readonly line: number;
}

export interface RenderedConf {
  /** Ends with a newline. */
  readonly text: string;
  /** For lines (from 1) that come out of an include file. */
  readonly origin: (line: number) => Origin | undefined;
  /** VRFs that are there although no line defines them. */
  readonly vrfs: readonly string[];
}

/**
 * The `frr.conf` of a switch, in the words and the order within blocks of `show running-config`, so that frr-reload
 * finds nothing to do after it was loaded. Equal models and settings give equal text.
 *
 * A VRF without ports is left out: that withdraws its routes, which has to happen before its device goes.
 */
export function renderConf(fabric: FabricModel, settings: RenderSettings): RenderedConf {
  const model = { ...fabric, vrfs: fabric.vrfs.filter(({ ports }) => ports.length > 0) };
  const lines: string[] = [];
  const origins = new Map<number, Origin>();
  const add = (section: Lines): void => void lines.push(...section);
  const include = (file: IncludeFile | undefined): void => {
    if (file === undefined) return;
    for (const [index, line] of file.text.replace(/\n+$/, '').split('\n').entries()) {
      lines.push(line);
      origins.set(lines.length, { path: file.path, line: index + 1 });
    }
    add(['!']);
  };

  add(head(model, settings));
  include(settings.before);
  for (const vrf of [...settings.staticVrfs, ...model.vrfs]) add(vrfSection(vrf));
  for (const port of [...model.uplinks, ...model.firewalls.map((firewall) => firewall.port)]) add(portSection(port));
  for (const { name, ports } of model.vrfs) for (const port of ports) add(portSection(port, name));
  add(policySection(model, settings));
  add(managementRoutes(model, settings));
  add(underlaySection(model, settings));
  for (const vrf of model.vrfs) add(tenantSection(model, vrf));
  if (model.setSourceLoopback) add(['ip protocol bgp route-map RM_SET_SRC', '!']);
  include(settings.after);
  return {
    text: `${lines.join('\n')}\n`,
    origin: (line) => origins.get(line),
    vrfs: settings.staticVrfs.map(({ name }) => name),
  };
}
