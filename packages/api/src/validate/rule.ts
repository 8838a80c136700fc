/** Shapes of text that the contract asks for. */
export type TextFormat =
  | 'uuid'
  | 'mac'
  | 'uri'
  | 'hostname'
  | 'ip'
  | 'ip-prefix'
  | 'ip-or-hostname'
  | 'host-and-port'
  | 'base64'
  | 'any-or-uuid'
  | 'any-or-login'
  | 'rule-comment';

/**
 * What one field must look like. Rules about text, numbers and enums hold for every item of a repeated field and every
 * value of a map. As in protovalidate, a field without presence is checked when it is empty, too; an `optional` one only
 * when it is set.
 */
export interface FieldRule {
  /** Set, or not zero. */
  readonly required?: true;
  readonly format?: TextFormat;
  /** Characters (code points), least and most. */
  readonly length?: readonly [number, number];
  /** No white space at either end. */
  readonly trimmed?: true;
  /** Empty text passes without further checks. */
  readonly emptyAllowed?: true;
  /** Items of a repeated field or entries of a map, least and most. */
  readonly items?: readonly [number, number];
  /** No two equal items. */
  readonly unique?: true;
  /** A value that the enum defines. */
  readonly defined?: true;
  /** Least number; seconds for durations. */
  readonly min?: number;
  /** Greatest number; seconds for durations. */
  readonly max?: number;
  /** First number that is too great; seconds for durations. */
  readonly below?: number;
  /** A time before now. */
  readonly past?: true;
  readonly keyFormat?: TextFormat;
  readonly keyTrimmed?: true;
}

/** Rules by full message name and by field name, as the proto files spell them. */
export type RuleTable = Readonly<Record<string, Readonly<Record<string, FieldRule>>>>;
