/** Which rights of a token its maker's memberships lend it, as JSON. No older version lent any. */
export const lentRights: string = `
ALTER TABLE token ADD COLUMN lent TEXT NOT NULL DEFAULT '';
`;
