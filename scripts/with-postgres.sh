#!/bin/sh
# Runs a command beside a throw-away PostgreSQL: scripts/with-postgres.sh cargo test
#
# Starts a cluster of its own in a temporary folder, listening only on a socket in it, sets RINGDESK_TEST_POSTGRES for the
# command, and removes everything afterwards. Durability is switched off: nothing in it outlives the tests. PostgreSQL
# refuses to run as root, so root hands the cluster to the user postgres (made by the Debian package).
set -eu

if [ $# -eq 0 ]; then
    echo "usage: $0 COMMAND [ARGUMENT]..." >&2
    exit 2
fi

bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -t/ -k5 -n | tail -n 1)
if [ -z "$bin" ] && command -v initdb >/dev/null 2>&1; then
    bin=$(dirname "$(command -v initdb)")
fi
if [ -z "$bin" ]; then
    echo "$0: no PostgreSQL server here: apt-get install -y postgresql" >&2
    exit 1
fi

# The path of a unix socket may have 107 bytes: not below a long TMPDIR.
folder=$(mktemp -d /tmp/ringdesk-postgres.XXXXXX)

as_owner() {
    if [ "$(id -u)" -eq 0 ]; then
        # setpriv and not su: no login shell, no PAM, signals reach the server.
        (cd / && setpriv --reuid postgres --regid postgres --init-groups "$@")
    else
        "$@"
    fi
}

stop() {
    status=$?
    trap - EXIT
    as_owner "$bin/pg_ctl" -D "$folder/data" -m immediate -w stop >/dev/null 2>&1 || true
    rm -rf "$folder"
    exit "$status"
}
trap stop EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

if [ "$(id -u)" -eq 0 ]; then
    if ! id postgres >/dev/null 2>&1; then
        echo "$0: root needs a user named postgres to run the server as: apt-get install -y postgresql" >&2
        exit 1
    fi
    chown postgres "$folder"
fi

as_owner "$bin/initdb" -D "$folder/data" -U ringdesk -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$folder.log" 2>&1 || {
    cat "$folder.log" >&2
    rm -f "$folder.log"
    exit 1
}
rm -f "$folder.log"

as_owner "$bin/pg_ctl" -D "$folder/data" -l "$folder/data/log" -w -t 60 \
    -o "-c listen_addresses='' -c unix_socket_directories='$folder' -c fsync=off -c full_page_writes=off \
        -c synchronous_commit=off -c max_connections=400 -c shared_buffers=64MB" start >/dev/null || {
    cat "$folder/data/log" >&2
    exit 1
}

RINGDESK_TEST_POSTGRES="postgres://ringdesk@localhost/postgres?host=$folder"
export RINGDESK_TEST_POSTGRES
"$@"
