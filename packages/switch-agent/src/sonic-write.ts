/** A row to be written over what it was seen to be; undefined: no such row. */
export interface RowWrite {
  readonly table: string;
  readonly key: string;
  readonly before: Readonly<Record<string, string>> | undefined;
  readonly after: Readonly<Record<string, string>> | undefined;
}

/**
 * Compares every row of a group with what it was seen to be, and writes the group only if all are: `config reload`, an
 * operator's `config` and the agent do not tread on each other. Runs as one command, so that a connection that breaks
 * leaves all of a group or nothing. Only fields that differ are set, and those that are no longer wanted are deleted.
 */
export const WRITE_SCRIPT = `
local function isAsSeen(key, before)
  local row = redis.pcall('HGETALL', key)
  if row.err then return false end
  local count = 0
  if before then for _ in pairs(before) do count = count + 1 end end
  if #row ~= 2 * count then return false end
  for i = 1, #row, 2 do
    if before[row[i]] ~= row[i + 1] then return false end
  end
  return true
end
local answers = {}
for g, group in ipairs(cjson.decode(ARGV[1])) do
  answers[g] = ''
  for _, change in ipairs(group) do
    if not isAsSeen(change[1], change[2]) then answers[g] = change[1] break end
  end
  if answers[g] == '' then
    for _, change in ipairs(group) do
      local key, before, after = change[1], change[2], change[3]
      if not after then
        redis.call('DEL', key)
      else
        for field, value in pairs(after) do
          if not before or before[field] ~= value then redis.call('HSET', key, field, value) end
        end
        if before then
          for field in pairs(before) do
            if after[field] == nil then redis.call('HDEL', key, field) end
          end
        end
      end
    end
  end
end
return answers
`;

/** The argument of the script. */
export function writeArgument(groups: ReadonlyArray<readonly RowWrite[]>, separator: string): string {
  return JSON.stringify(
    groups.map((group) =>
      group.map(({ table, key, before, after }) => [`${table}${separator}${key}`, before ?? false, after ?? false]),
    ),
  );
}
