# Ends the children of the process that started this script, when that process is gone for any reason.
# Standard input brings one order on each line. "+ <pid>": a child has started (the leader of its own process group).
# "- <pid>": the child has ended. "d <folder>": remove the folder at the end. The end of input means that the parent is gone.
# Children are ended one after the other, in the reverse order of their start, as in an orderly stop.
children=''
folders=''
newline='
'
while read -r order argument; do
  case $order in
    +) children="$argument $children" ;;
    -)
      rest=''
      for pid in $children; do
        [ "$pid" = "$argument" ] || rest="$rest $pid"
      done
      children=$rest
      ;;
    d) folders="$folders$argument$newline" ;;
  esac
done

for pid in $children; do
  kill -s TERM -- "-$pid" 2>/dev/null || continue
  tries=0
  while kill -s 0 -- "-$pid" 2>/dev/null; do
    tries=$((tries + 1))
    if [ "$tries" -ge 80 ]; then
      kill -s KILL -- "-$pid" 2>/dev/null
      break
    fi
    sleep 0.1
  done
done

printf '%s' "$folders" | while read -r folder; do
  rm -rf -- "$folder"
done
