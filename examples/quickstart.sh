#!/usr/bin/env bash
# The quick start as three terminals: three processes that share nothing but a folder. Needs `coord` on the PATH.
set -euo pipefail

cd "$(mktemp -d)"
echo "In $PWD"

# Terminal 1 leads: the goal, two tasks.
coord leader init "Build a REST API"
coord leader add-task "Create User model" -p 1
coord leader add-task "Create login endpoint" -p 2

# Terminals 2 and 3 work, at the same time. Each claims what nobody else has.
terminal() {
  local name=$1 id
  while coord worker claim "$name" --wait >"$name.txt"; do
    id=$(head -n 1 "$name.txt" | cut -d ' ' -f 1)
    echo "$name does $id"
    coord worker done "$name" "$id" "Done by $name" >>"$name.txt"
  done
  echo "$name stops: $(cat "$name.txt")"
}
terminal terminal-2 &
terminal terminal-3 &

# Terminal 1 sleeps until every task is settled, and sums up.
coord leader wait
wait
coord leader aggregate
coord leader status
