import { expect, test } from 'vitest';
import { CliError } from '../../src/errors.ts';
import { checkFields } from '../../src/template/fields.ts';
import { requireTemplate } from '../../src/template/template.ts';

const ROW = {
  uuid: 'u-1',
  memory: '8589934592',
  cores: 4,
  locked: false,
  allocation: { hostname: 'web', networks: [{ network: 'n1', ips: ['10.0.0.1', '10.0.0.2'] }, { network: 'n2' }] },
  meta: { labels: { 'ingot.dev/wipe': 'x', plain: 'y' } },
};

test.each([
  ['{{ .uuid }}', 'u-1\n'],
  ['{{.uuid}} {{ .allocation.hostname }}', 'u-1 web\n'],
  ['a\n', 'a\n'],
  ['{{ . | len }}', '6\n'],
  ['{{ .not.there }}|', '|\n'],
  ['{{ .locked }} {{ .cores }} {{ .memory }}', 'false 4 8589934592\n'],
  ['{{ index .meta.labels "ingot.dev/wipe" }}', 'x\n'],
  ['{{ index .allocation.networks 1 "network" }}', 'n2\n'],
  ['{{ range .allocation.networks }}{{ .network }}={{ join "," .ips }};{{ end }}', 'n1=10.0.0.1,10.0.0.2;n2=;\n'],
  ['{{ range .allocation.networks }}{{ $.uuid }} {{ end }}', 'u-1 u-1 \n'],
  ['{{ range .nothing }}x{{ else }}none{{ end }}', 'none\n'],
  ['{{ range .meta.labels }}{{ . }}{{ end }}', 'xy\n'],
  ['{{ if .locked }}yes{{ else if eq .cores 4 }}four{{ else }}no{{ end }}', 'four\n'],
  ['{{ if and .uuid (not .locked) }}yes{{ end }}', 'yes\n'],
  ['{{ if or .locked .nothing }}yes{{ else }}no{{ end }}', 'no\n'],
  ['{{ with .allocation }}{{ .hostname }}{{ else }}nobody{{ end }}', 'web\n'],
  ['{{ with .nothing }}{{ .hostname }}{{ else }}nobody {{ .uuid }}{{ end }}', 'nobody u-1\n'],
  ['{{ .allocation.networks | json }}', `${JSON.stringify(ROW.allocation.networks)}\n`],
  ['{{ if ne .uuid "u-2" }}x{{ end }}', 'x\n'],
  ['{{ "a\\tb" }}{{ `c"d` }}', 'a\tbc"d\n'],
  ['a  {{- /* not shown */ -}}  b', 'ab\n'],
  ['a  {{- .uuid -}}  b', 'au-1b\n'],
  ['{{ print .uuid "-" .cores }}', 'u-1-4\n'],
])('%s', (source, text) => {
  expect(requireTemplate(source).render(ROW)).toBe(text);
});

test('fields have the names of JSON, and those of the contract', () => {
  expect(requireTemplate('{{ .last_event_time }}{{ .lastEventTime }}').render({ lastEventTime: 'x' })).toBe('xx\n');
});

test.each([
  ['{{ .uuid', 'character 3: "{{" is not closed'],
  ['{{ uuid }}', 'there is no function "uuid"; there are index, len'],
  ['{{ uuid }}', 'A field begins with a dot: .uuid'],
  ['{{ }}x{{ end }}', '"end" without'],
  ['{{ if .a }}x', '"if" is not closed'],
  ['{{ range .a }}x{{ else }}y', '"range" is not closed'],
  ['{{ .a .b }}', 'two values stand beside each other'],
  ['{{ len }}', '"len" takes 1 values'],
  ['{{ .a | .b }}', 'behind "|" there has to be a function'],
  ['{{ (len .a }}', '"(" is not closed'],
  ['{{ "\\x" }}', 'has an escape that is not understood'],
  ['{{ $x := 1 }}', 'is not understood'],
  ['{{ .a | }}', 'something is missing here'],
])('%s is refused: %s', (source, words) => {
  expect(() => requireTemplate(source)).toThrow(words);
  expect(() => requireTemplate(source)).toThrow(CliError);
});

test('a template is asked for', () => {
  expect(() => requireTemplate(undefined)).toThrow("--template '{{ .uuid }}");
});

test('a field that no row can have is a slip of the pen', () => {
  const fields = ['uuid', 'lastEventTime', 'nics', 'ipv4Prefix'];
  const check = (source: string) => () => checkFields(requireTemplate(source), fields);
  expect(check('{{ .uid }}')).toThrow('there is no field .uid; did you mean .uuid?');
  expect(check('{{ range .nics }}{{ $.uid }}{{ end }}')).toThrow('no field .uid');
  expect(check('{{ if .nothing }}x{{ end }}')).toThrow('there are .uuid, .lastEventTime, .nics');
  expect(check('{{ .last_event_time }}{{ .ipv4_prefix }}{{ range .nics }}{{ .mac }}{{ end }}')).not.toThrow();
});
