#!/usr/bin/env bash
# Runs a command with a PostgreSQL server of its own: a fresh cluster in a temporary folder on a free port, gone afterwards.
# The command finds it in RINGDESK_TEST_POSTGRES. No cluster of the machine is touched.
#
#     scripts/with-postgres.sh cargo test store::
set -euo pipefail
fail() { printf 'with-postgres: %s\n' "$*" >&2; exit 1; }
[ $# -gt 0 ] || fail "usage: scripts/with-postgres.sh COMMAND [ARGUMENT]..."

bin=$(find /usr/lib/postgresql -maxdepth 2 -name bin -type d 2>/dev/null | sort -V | tail -n 1)
if [ -z "$bin" ]; then
    found=$(command -v pg_ctl) || fail "PostgreSQL is not installed: run scripts/bootstrap.sh --test"
    bin=$(dirname "$(readlink -f "$found")")
fi

dir=$(mktemp -d "${TMPDIR:-/tmp}/ringdesk-postgres.XXXXXX")
as=()
if [ "$(id -u)" = 0 ]; then
    # The server refuses to run as root.
    user=postgres
    id "$user" >/dev/null 2>&1 || user=nobody
    chown "$user" "$dir"
    as=(setpriv --reuid="$user" --regid="$(id -g "$user")" --clear-groups)
fi
# The server looks at where it is started.
server() { (cd "$dir" && "${as[@]}" env HOME="$dir" "$@"); }

cleanup() {
    server "$bin/pg_ctl" -D "$dir/data" -m immediate -w stop >/dev/null 2>&1 || true
    rm -rf "$dir"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

server "$bin/initdb" -D "$dir/data" -U ringdesk --auth=trust --encoding=UTF8 --locale=C.UTF-8 --no-sync >"$dir/initdb.log" 2>&1 \
    || { cat "$dir/initdb.log" >&2; fail "initdb failed"; }

port=
for _ in 1 2 3 4 5 6 7 8; do
    try=$((20000 + RANDOM % 12000))
    # Nothing here has to survive a power cut, so nothing waits for the disk.
    options="-p $try -c listen_addresses=127.0.0.1 -c unix_socket_directories=$dir -c fsync=off -c synchronous_commit=off"
    options="$options -c full_page_writes=off -c max_connections=200"
    if server "$bin/pg_ctl" -D "$dir/data" -l "$dir/server.log" -w -t 30 -o "$options" start >/dev/null 2>&1; then
        port=$try
        break
    fi
done
[ -n "$port" ] || { tail -n 20 "$dir/server.log" >&2; fail "the server did not start"; }
server "$bin/createdb" -h 127.0.0.1 -p "$port" -U ringdesk ringdesk || fail "the test database could not be made"

RINGDESK_TEST_POSTGRES="postgres://ringdesk@127.0.0.1:$port/ringdesk" "$@"
