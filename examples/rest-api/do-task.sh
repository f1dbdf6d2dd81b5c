#!/usr/bin/env bash
# What a Claude Code instance would do with one task, done by a script so that it needs no model: it writes the files
# that the task names, checks them, shares what it found, and prints the result.
set -euo pipefail
parts=$(cd "$(dirname "$0")/parts" && pwd)

while read -r file; do
  [ -n "$file" ] || continue
  mkdir -p "$(dirname "$file")"
  sleep "${TASK_SECONDS:-1}" # the thinking
  cp "$parts/$file" "$file"
  case $file in
    # At first it expects the wrong status: `node --test`, the check of this task, is red, and the task is not done.
    test/*) if [ "$COORD_TASK_ATTEMPT" = 1 ]; then sed -i.bak 's/201/200/' "$file" && rm "$file.bak"; fi ;;
    *.js) node --check "$file" ;;
  esac
  echo "Wrote $file ($(wc -l <"$file") lines)."
done <<<"$COORD_TASK_FILES"

case $COORD_TASK_FILES in
  src/errors.js) coord worker discover "$COORD_WORKER" "Errors for the client are HttpError(status, message)" -t convention --task "$COORD_TASK_ID" >/dev/null ;;
esac
