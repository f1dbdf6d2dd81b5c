#!/usr/bin/env bash
# A leader and three workers build a small REST API: a dozen tasks with priorities and dependencies, in a new folder.
# Needs `coord` on the PATH. On a terminal the status is shown live.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cd "${1:-$(mktemp -d)}"
echo "Working in $PWD"

coord leader init "Build a REST API for user management" --approach "Core first, then HTTP, then tests; no dependencies."
coord leader import "$here/tasks.json"
# One of the tasks is done only when its tests pass. Which commands a board may run on this machine, a person says, at a terminal.
if [ -t 0 ]; then coord trust check "node --test"; else script -qec 'coord trust check "node --test"' /dev/null || script -q /dev/null coord trust check "node --test"; fi

for worker in terminal-2 terminal-3 terminal-4; do
  coord worker run "$worker" -- "$here/do-task.sh" >"$worker.txt" 2>&1 &
done

if [ -t 1 ]; then
  coord leader status --watch &
  watcher=$!
  coord leader wait >/dev/null 2>&1 || true
  kill -INT "$watcher" 2>/dev/null || true
  wait "$watcher" 2>/dev/null || true
  clear
else
  coord leader wait || true
fi
wait
cat terminal-*.txt
coord leader status
coord leader aggregate
echo "The API is in $PWD/src, what was done in $PWD/.coordination/summary.md"
