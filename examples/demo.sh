#!/usr/bin/env bash
# npm run demo: the rest-api example with the coord of this checkout.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[ -f "$here/../dist/build-id" ] || (cd "$here/.." && npm run --silent build)
bin=$(mktemp -d)
trap 'rm -rf "$bin"' EXIT
ln -s "$here/../bin/coord.cjs" "$bin/coord"
PATH="$bin:$PATH" bash "$here/rest-api/run.sh" "$@"
