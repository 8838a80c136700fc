/**
 * A row of CONFIG_DB as `config_db.json` has it: texts, and lists of texts. Redis stores a list as the field
 * `<name>@`, joined by commas, and a row without fields as `NULL` = `NULL`; here a list is a list and an empty row is
 * empty.
 */
export type Row = Readonly<Record<string, string | readonly string[]>>;

/** Table → key (its parts joined by `|`) → row. */
export type ConfigDb = Readonly<Record<string, Readonly<Record<string, Row>>>>;
