#!/usr/bin/env bash
# Three workers, a worktree each, one branch: two of them change the same file, and still everything lands once.
# Needs `coord` on the PATH, and git 2.38 or newer.
set -euo pipefail

cd "${1:-$(mktemp -d)}"
echo "In $PWD"
export GIT_AUTHOR_NAME=Example GIT_AUTHOR_EMAIL=example@example.org
export GIT_COMMITTER_NAME=$GIT_AUTHOR_NAME GIT_COMMITTER_EMAIL=$GIT_AUTHOR_EMAIL
git init --quiet --initial-branch=main
echo "# Words" >words.md
git add words.md
git commit --quiet -m "Begin"

coord leader init "Collect words" --worktrees
for word in alpha beta gamma; do coord leader add-task "Add the word $word"; done

# A worker: claim, work and commit in the worktree, hand in; what is sent back is merged and handed in again.
terminal() {
  local name=$1 json id tree word
  while json=$(coord --json worker claim "$name" --wait); do
    id=$(field "$json" .task.id) tree=$(field "$json" .worktree) word=$(field "$json" .task.description)
    git -C "$tree" merge --quiet -m "Merge" coord/main >/dev/null 2>&1 || {
      sed -i -E '/^(<<<<<<<|=======|>>>>>>>)/d' "$tree/words.md" # both sides stand
      git -C "$tree" commit --quiet -am "Merge"
    }
    grep -q "^${word##* }$" "$tree/words.md" || {
      echo "${word##* }" >>"$tree/words.md"
      git -C "$tree" commit --quiet -am "$word"
    }
    coord worker done "$name" "$id" "$word" 2>/dev/null | sed "s/^/$name: /"
  done
}
field() { node -p "JSON.parse(process.argv[1])$2" "$1"; }
terminal terminal-2 &
terminal terminal-3 &
terminal terminal-4 &
wait

coord leader publish
echo "words.md holds:"
cat words.md
git log --oneline --first-parent main
