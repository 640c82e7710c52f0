#!/usr/bin/env bash
# The console and the visitor widget: web/ to web/dist, which the program embeds.
#
#     scripts/web.sh [build|check|types|stories [WORD]...]
#
# build: does nothing when web/dist is newer than what it is made from. check: the types. types: what the server's description
# (web/openapi.json) says, as TypeScript. stories: people in browsers against RINGDESK_BIN.
# Needs Node 20.19 or newer; where the system's is older, a right one comes from the npm registry into target/node.
set -euo pipefail
cd "$(dirname "$0")/.."
export npm_config_update_notifier=false

fail() { printf 'web: %s\n' "$*" >&2; exit 1; }

new_enough() { node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 22 || (a === 22 && b >= 12) || (a === 20 && b >= 19) ? 0 : 1)' 2>/dev/null; }

if ! new_enough; then
    export PATH="$PWD/target/node/node_modules/node/bin:$PATH"
    if ! new_enough; then
        command -v npm >/dev/null || fail "npm is missing: run scripts/bootstrap.sh"
        printf 'web: the system has no Node 20.19 or newer: fetching one into target/node\n'
        mkdir -p target/node
        npm install --silent --no-save --no-audit --no-fund --prefix target/node node@22 || fail "npm could not fetch Node: is its registry reachable?"
        new_enough || fail "the Node that was fetched does not run here"
    fi
fi

packages() {
    if [ ! -f web/node_modules/.package-lock.json ] || [ web/package-lock.json -nt web/node_modules/.package-lock.json ]; then
        (cd web && npm ci --silent --no-audit --no-fund) || fail "npm could not install the packages of web/package-lock.json"
        touch web/node_modules/.package-lock.json
    fi
}

case "${1-build}" in
    build)
        made=web/node_modules/.ringdesk-built # written at the end of a build that kept its budgets
        if [ -f "$made" ] && [ -f web/dist/console/index.html ] && [ -z "$(find web/console web/widget web/*.json web/build.mjs -newer "$made" -print -quit)" ]; then
            exit 0
        fi
        packages
        rm -f "$made"
        (cd web && node build.mjs)
        touch "$made"
        ;;
    check)
        packages
        grep -q '"resolved"' web/package-lock.json && fail "web/package-lock.json names registry hosts: web/.npmrc should keep them out"
        kept=web/console/src/api/schema.d.ts
        made=$(mktemp)
        trap 'rm -f "$made"' EXIT
        (cd web && node node_modules/.bin/openapi-typescript openapi.json -o "$made" >/dev/null)
        cmp -s "$made" "$kept" || fail "$kept is not what web/openapi.json says: scripts/web.sh types"
        (cd web && node node_modules/.bin/tsc --noEmit)
        ;;
    types)
        packages
        (cd web && node node_modules/.bin/openapi-typescript openapi.json -o console/src/api/schema.d.ts)
        ;;
    stories)
        packages
        shift
        exec node tests/web/all.mjs "$@"
        ;;
    *) fail "unknown argument '$1'; usage: scripts/web.sh [build|check|types|stories]" ;;
esac
