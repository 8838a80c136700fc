import type { Logger } from '@ingot/daemon';
import { parseMac } from '../identity.ts';
import { renderAutoexecScript } from '../ipxe/script.ts';
import type { BootMetrics } from '../metrics.ts';
import { BOOTING_TEXT, noteBooting } from '../published/booting.ts';
import { serveAgentUp, type AgentRouteComponents } from './agent-route.ts';
import { serveCerts, type CertsRouteComponents } from './certs-route.ts';
import { serveConfig, type ConfigRouteComponents } from './config-route.ts';
import { serveBootFile, servePublished, type FileRouteComponents } from './file-route.ts';
import { askedImage, serveImage, type ImageRouteComponents } from './image-route.ts';
import { serveUsed, type UsedRouteComponents } from './peers.ts';
import { sendError, sendText } from './reply.ts';
import type { Request } from './request.ts';
import { basesFor, serveScript, type ScriptRouteComponents } from './script-route.ts';

/** What each of the routes works with. */
export interface HttpRoutes {
  readonly log: Logger;
  readonly metrics: BootMetrics;
  readonly script: ScriptRouteComponents;
  readonly files: FileRouteComponents;
  /** Undefined: there is no API that configurations can be had of. */
  readonly config: ConfigRouteComponents | undefined;
  /** Undefined: not for machines of the v1 API. */
  readonly certs: CertsRouteComponents | undefined;
  readonly used: UsedRouteComponents;
  readonly agent: AgentRouteComponents;
  /** Undefined: no images are cached. */
  readonly images: ImageRouteComponents | undefined;
}

/** Answers a request by the route that its path names. */
export async function answer(request: Request, routes: HttpRoutes): Promise<void> {
  const { path } = request;
  const image = routes.images === undefined ? undefined : askedImage(request, routes.images.cache);
  if (routes.images !== undefined && image !== undefined) return serveImage(request, image, routes.images);
  if (path === '/_/file') return serveBootFile(request, routes.files);
  if (path.startsWith('/boot/') && path.endsWith('/autoexec.ipxe'))
    return sendText(request, 200, renderAutoexecScript(basesFor(routes.script, request)[0]));
  if (/^\/(?:boot|grub|_\/file|_\/booting)\//.test(path)) return servePublished(request, routes.files);
  // A script and a configuration change something when they are given: nothing to look at beforehand.
  if (request.method === 'GET') {
    if (path === '/_/ipxe') return serveScript(request, routes.script);
    if (path === '/_/used') return serveUsed(request, routes.used);
    if (path === '/_/up') return serveAgentUp(request, routes.agent);
    if (path === '/_/booting') return serveBooting(request, routes);
    if (path === '/certs' && routes.certs !== undefined) return serveCerts(request, routes.certs);
    if (path.startsWith('/config/') && routes.config !== undefined) return serveConfig(request, routes.config);
  }
  routes.metrics.drop('http', 'unknown-path');
  return sendError(request, 404, 'not_found', 'known are /_/ipxe, /_/file, /_/booting, /boot/, /grub/ and /config/');
}

/** `/_/booting?mac=`, as an iPXE says it; GRUB's is `/_/booting/<mac>`, which TFTP has as well. */
function serveBooting(request: Request, { log, metrics, files }: HttpRoutes): void {
  noteBooting({ log, metrics, uuidOf: files.uuidOf }, parseMac(request.query.get('mac') ?? ''));
  sendText(request, 200, BOOTING_TEXT);
}
