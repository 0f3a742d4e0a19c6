# Ends the children of the process that started it when that process is gone, however it went.
# Orders come on standard input, one a line: "+ <pid>" a child was started (leader of its own process group),
# "- <pid>" it ended, "d <folder>" a folder to remove at the end. The end of the input means that the parent is gone.
# Children end in the reverse order of their start, one after the other, as in an orderly stop.
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
