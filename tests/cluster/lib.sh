# shellcheck shell=bash
# Shared by up, down and control; sourced with $dir set to a test cluster's folder.
: "${dir:?}"

# DIR/pids holds one "NAME PID START" line for each process. A process id alone may have been given to a stranger since;
# with its start time it is ours or it is gone.
start_time() {
  local stat
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  # The command name, in parentheses, may hold spaces: count from behind it. The start is field 22 of the whole line.
  read -ra stat <<<"${stat##*) }"
  [[ ${stat[0]} != Z ]] && echo "${stat[19]}"
}

# Prints the process id of NAME if it is ours and still runs.
running() {
  local name pid start
  while read -r name pid start; do
    if [[ $name == "$1" && $(start_time "$pid") == "$start" ]]; then echo "$pid"; fi
  done < <(cat "$dir/pids" 2>/dev/null)
}

names() { cut -d' ' -f1 "$dir/pids" 2>/dev/null || true; }

# Starts DIR/bin/NAME in a session of its own, so that it outlives the caller and its terminal.
launch() {
  local name=$1 pid
  # File descriptor 9 is the lock that up holds; a server that inherited it would hold it for ever.
  setsid "$dir/bin/$name" >>"$dir/$name.log" 2>&1 </dev/null 9>&- &
  pid=$!
  { grep -v "^$name " "$dir/pids" 2>/dev/null || true; echo "$name $pid $(start_time "$pid")"; } >"$dir/pids.new"
  mv "$dir/pids.new" "$dir/pids"
}

# Ends NAME: TERM, and KILL after ten seconds.
end() {
  local name=$1 pid tries
  pid=$(running "$name")
  [[ -n $pid ]] || return 0
  kill -CONT "$pid" 2>/dev/null || true # a paused process would not see the TERM
  kill -TERM "$pid" 2>/dev/null || true
  for ((tries = 0; tries < 100; tries++)); do
    [[ -n $(running "$name") ]] || return 0
    sleep 0.1
  done
  kill -KILL "$pid" 2>/dev/null || true
}

# Waits until a command succeeds, or gives up when SECONDS reaches the deadline or a process of ours is gone.
await() {
  local deadline=$1 name
  shift
  until "$@" >/dev/null 2>&1; do
    for name in $(names); do
      [[ -n $(running "$name") ]] || { echo "$name ended" >&2; return 1; }
    done
    ((SECONDS < deadline)) || { echo "not ready in time: $*" >&2; return 1; }
    sleep 0.1
  done
}
