import type { RuleTable } from '../rule.ts';

/** Sizes, their reservations and their images. Source: the validation rules of metal-stack's api v0.5.0. */
export const sizeRules: RuleTable = {
  'metalstack.admin.v2.MatchImageAndSize': {
    size: { length: [2, 128] },
    image: { length: [2, 128] },
  },
  'metalstack.admin.v2.SizeImageConstraintServiceCreateRequest': {
    size: { length: [2, 128] },
    image_constraints: { items: [1, 128] },
    name: { length: [2, 128] },
    description: { length: [0, 256] },
  },
  'metalstack.admin.v2.SizeImageConstraintServiceDeleteRequest': {
    size: { length: [2, 128] },
  },
  'metalstack.admin.v2.SizeImageConstraintServiceGetRequest': {
    size: { length: [2, 128] },
  },
  'metalstack.admin.v2.SizeImageConstraintServiceUpdateRequest': {
    size: { length: [2, 128] },
    update_meta: { required: true },
    image_constraints: { items: [1, 128] },
    name: { length: [2, 128] },
    description: { length: [0, 256] },
  },
  'metalstack.admin.v2.SizeReservationServiceCreateRequest': {
    size_reservation: { required: true },
  },
  'metalstack.admin.v2.SizeReservationServiceDeleteRequest': {
    id: { format: 'uuid' },
  },
  'metalstack.admin.v2.SizeReservationServiceUpdateRequest': {
    id: { format: 'uuid' },
    name: { length: [2, 128] },
    description: { length: [0, 256] },
    update_meta: { required: true },
    partitions: { unique: true, length: [2, 128] },
    amount: { min: 1 },
  },
  'metalstack.admin.v2.SizeServiceCreateRequest': {
    size: { required: true },
  },
  'metalstack.admin.v2.SizeServiceDeleteRequest': {
    id: { length: [2, 128] },
  },
  'metalstack.admin.v2.SizeServiceUpdateRequest': {
    id: { length: [2, 128] },
    update_meta: { required: true },
    name: { length: [2, 128] },
    description: { length: [0, 256] },
  },
  'metalstack.api.v2.ImageConstraint': {
    image: { length: [2, 128] },
    semver_match: { length: [1, 128] },
  },
  'metalstack.api.v2.SizeImageConstraint': {
    size: { length: [2, 128] },
    image_constraints: { items: [1, 128] },
    name: { length: [2, 128] },
    description: { length: [0, 256] },
  },
  'metalstack.api.v2.SizeImageConstraintQuery': {
    size: { length: [2, 128] },
    name: { length: [2, 128] },
    description: { length: [0, 256] },
  },
  'metalstack.api.v2.SizeImageConstraintServiceTryRequest': {
    size: { length: [2, 128] },
    image: { length: [2, 128] },
  },
  'metalstack.api.v2.SizeQuery': {
    id: { length: [2, 128] },
    name: { length: [2, 128] },
    description: { length: [0, 256] },
  },
  'metalstack.api.v2.SizeReservation': {
    id: { format: 'uuid', emptyAllowed: true },
    name: { length: [0, 256] },
    description: { length: [0, 256] },
    project: { format: 'uuid' },
    size: { length: [2, 128] },
    partitions: { items: [1, 10000], unique: true, length: [2, 128] },
    amount: { min: 1 },
  },
  'metalstack.api.v2.SizeReservationQuery': {
    id: { format: 'uuid' },
    name: { length: [2, 128] },
    description: { length: [0, 256] },
    size: { length: [2, 128] },
    project: { format: 'uuid' },
    partition: { length: [2, 128] },
  },
  'metalstack.api.v2.SizeReservationServiceGetRequest': {
    id: { format: 'uuid' },
    project: { format: 'uuid' },
  },
  'metalstack.api.v2.SizeReservationServiceListRequest': {
    project: { format: 'uuid' },
  },
  'metalstack.api.v2.SizeServiceGetRequest': {
    id: { length: [2, 128] },
  },
};
