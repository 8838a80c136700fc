import type { BoundService } from '@ingot/api';
import type { Caller } from '../auth/caller.ts';
import type { ServiceDependencies } from './context.ts';
import { adminComponentService } from './admin-component-service.ts';
import { adminMachineService } from './admin-machine-service.ts';
import { adminSwitchService } from './admin-switch-service.ts';
import { bmcService } from './bmc-service.ts';
import { adminAuditService, auditService, vpnService } from './audit-services.ts';
import { bootService } from './boot-service.ts';
import { componentService } from './component-service.ts';
import { eventService } from './event-service.ts';
import { adminFilesystemService, filesystemService } from './filesystem-services.ts';
import { adminImageService, imageService } from './image-services.ts';
import { healthService, partitionService, versionService } from './information-services.ts';
import { adminIpService, ipService } from './ip-services.ts';
import { projectMachineService } from './machine-service.ts';
import { labelService } from './label-service.ts';
import { methodService } from './method-service.ts';
import { adminNetworkService, networkService } from './network-services.ts';
import { adminPartitionService } from './partition-services.ts';
import { adminProjectService, projectService, userService } from './project-services.ts';
import { adminSizeImageConstraintService, sizeImageConstraintService } from './size-image-constraint-services.ts';
import { adminSizeReservationService, sizeReservationService } from './size-reservation-services.ts';
import { adminSizeService, sizeService } from './size-services.ts';
import { switchService } from './switch-service.ts';
import { taskService } from './task-service.ts';
import { adminTenantService, tenantService } from './tenant-services.ts';
import { adminTokenService, tokenService } from './token-service.ts';
import { wipeService } from './wipe-service.ts';

/** Everything that is served. */
export function allServices(dependencies: ServiceDependencies): BoundService<Caller>[] {
  return [
    bootService(dependencies),
    eventService(dependencies),
    switchService(dependencies),
    componentService(dependencies),
    bmcService(dependencies),
    tokenService(dependencies),
    versionService(dependencies),
    healthService(dependencies),
    partitionService(dependencies),
    imageService(dependencies),
    adminImageService(dependencies),
    sizeService(dependencies),
    adminSizeService(dependencies),
    sizeReservationService(dependencies),
    adminSizeReservationService(dependencies),
    sizeImageConstraintService(dependencies),
    adminSizeImageConstraintService(dependencies),
    filesystemService(dependencies),
    adminFilesystemService(dependencies),
    tenantService(dependencies),
    adminTenantService(dependencies),
    projectService(dependencies),
    adminProjectService(dependencies),
    userService(dependencies),
    methodService(dependencies),
    auditService(dependencies),
    adminAuditService(dependencies),
    vpnService(),
    taskService(dependencies),
    networkService(dependencies),
    adminNetworkService(dependencies),
    ipService(dependencies),
    adminIpService(dependencies),
    projectMachineService(dependencies),
    adminMachineService(dependencies),
    adminSwitchService(dependencies),
    adminTokenService(dependencies),
    adminComponentService(dependencies),
    adminPartitionService(dependencies),
    labelService(dependencies),
    wipeService(dependencies),
  ];
}
