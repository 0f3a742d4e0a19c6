/** The scripts that `tributary completion` prints. Each asks `tributary __complete` what may follow the words so far. */
export const SHELLS = {
  bash: `_tributary() {
  local IFS=$'\\n' words=("\${COMP_WORDS[@]:1:COMP_CWORD}")
  COMPREPLY=($(tributary __complete -- "\${words[@]}" 2>/dev/null))
}
complete -o default -F _tributary tributary
`,
  zsh: `#compdef tributary
_tributary() {
  local -a found
  found=("\${(@f)$(tributary __complete -- "\${words[@]:1:$((CURRENT - 1))}" 2>/dev/null)}")
  if [[ -n "\${found[1]}" ]]; then compadd -- "\${found[@]}"; else _files; fi
}
compdef _tributary tributary
`,
  fish: `function __tributary_complete
  set -l words (commandline -opc) (commandline -ct)
  tributary __complete -- $words[2..-1] 2>/dev/null
end
complete -c tributary -a '(__tributary_complete)'
`,
} as const
