/** How often a command for a management controller was tried, and when it is tried again. */
export const bmcRetries: string = `
ALTER TABLE bmc_command ADD COLUMN retried INTEGER NOT NULL DEFAULT 0;
ALTER TABLE bmc_command ADD COLUMN run_at INTEGER;
ALTER TABLE bmc_command ADD COLUMN failed_at INTEGER;
`;
