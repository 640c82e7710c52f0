#!/usr/bin/env bash
# Runs the media engine's tests under AddressSanitizer: memory used after it was freed, beyond its end, freed twice, leaked. Those
# with real sockets and threads, too, which Miri (scripts/miri.sh) cannot run. What is C (libopus), assembler (ciphers) or another
# crate runs along, unwatched but for what it takes from the heap and gives back.
#
#     scripts/sanitize.sh                       all
#     scripts/sanitize.sh engine:: io::         some modules
#
# It is the compiler of the house, and no other crate is built anew. The order of threads it does not look at: that would take a
# standard library built for it (nightly, -Zbuild-std), or it would report what the locks of the library protect.
set -euo pipefail

# Cargo calls this very script in the place of the compiler, for the crates of the workspace and to ask what it can do.
if [ -n "${SANITIZE-}" ]; then
    [[ " $* " != *" --crate-name media "* ]] || exec env RUSTC_BOOTSTRAP=1 "$@" "-Zsanitizer=$SANITIZE"
    exec "$@"
fi

self=$(realpath "$0")
cd "$(dirname "$self")/.."
exec env SANITIZE=address RUSTC_WORKSPACE_WRAPPER="$self" cargo test -p media --lib -- "$@"
