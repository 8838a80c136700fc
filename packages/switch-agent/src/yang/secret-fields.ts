// As RADIUS.passkey, BGP_NEIGHBOR.auth_password, MACSEC_PROFILE.primary_cak.
const SECRET = /pass(?:key|word|wd|phrase)$|secret|_cak$|token/i;

/** Whether the value of a field must not be shown: what is said about a configuration ends up in logs. */
export function isSecret(table: string, field: string): boolean {
  return SECRET.test(field) || (table === 'NTP_KEY' && field === 'value');
}
