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
    test/*) node --test >test-output.txt 2>&1 || { tail -n 20 test-output.txt >&2; exit 1; } ;;
    *.js) node --check "$file" ;;
  esac
  echo "Wrote $file ($(wc -l <"$file") lines)."
done <<<"$COORD_TASK_FILES"

case $COORD_TASK_FILES in
  src/errors.js) coord worker discover "$COORD_WORKER" "Errors for the client are HttpError(status, message)" -t convention --task "$COORD_TASK_ID" >/dev/null ;;
  test/*) grep -E '^# (pass|fail)' test-output.txt ;;
esac
