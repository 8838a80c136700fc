/** Shells that `ingot completion` knows. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

// Each script asks `ingot __complete`: its first line is "words" or "files", each further one a word, a tab and what the
// word means.

const BASH = `# ingot completion bash
_ingot() {
  local line="\${COMP_LINE:0:COMP_POINT}" breaks="" kind="" word meaning done=""
  local -a words
  read -r -a words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  local last="\${words[\${#words[@]}-1]}"
  # Bash ends a word at these, and replaces only what is behind.
  [[ $COMP_WORDBREAKS == *:* ]] && breaks+=":"
  [[ $COMP_WORDBREAKS == *=* ]] && breaks+="="
  [[ -n $breaks ]] && done="\${last%"\${last##*[$breaks]}"}"
  COMPREPLY=()
  while IFS=$'\\t' read -r word meaning; do
    if [[ -z $kind ]]; then kind="$word"; continue; fi
    [[ $word == "$last"* ]] && COMPREPLY+=("\${word#"$done"}")
  done < <("\${words[0]}" __complete "\${words[@]:1}" 2>/dev/null)
  if [[ $kind == files ]]; then compopt -o default; fi
  if [[ \${#COMPREPLY[@]} -eq 1 && \${COMPREPLY[0]} == *= ]]; then compopt -o nospace; fi
}
complete -F _ingot ingot
`;

const ZSH = `#compdef ingot
# ingot completion zsh
_ingot() {
  local -a lines described
  local line tab=$'\\t'
  lines=("\${(@f)$(\${words[1]} __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ $lines[1] == files ]]; then _files; return; fi
  for line in "\${(@)lines[2,-1]}"; do
    described+=("\${\${line%%\${tab}*}//:/\\\\:}:\${line#*\${tab}}")
  done
  _describe -V 'ingot' described
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then _ingot "$@"; else compdef _ingot ingot; fi
`;

const FISH = `# ingot completion fish
function __ingot_complete
  set -l tokens (commandline -opc)
  set -l current (commandline -ct)
  set -l lines ($tokens[1] __complete $tokens[2..-1] "$current" 2>/dev/null)
  if test "$lines[1]" = files
    __fish_complete_path "$current"
  else
    printf '%s\\n' $lines[2..-1]
  end
end
complete -c ingot -f -a '(__ingot_complete)'
`;

export const SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH };
