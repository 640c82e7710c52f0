#!/usr/bin/env bash
# Runs under Miri what of the media engine can be: the lock-free pipe, RTP and RTCP packets, received and sent digits. Miri looks
# at every access to memory and every order of two threads, and is some thousand times slower: what is long arithmetic on samples,
# C (libopus), assembler (ciphers), or sockets stays outside.
#
#     scripts/miri.sh                 all of that; the first time it builds its own standard library
#     scripts/miri.sh pipe::          one module
#     MIRIFLAGS=-Zmiri-many-seeds=0..16 scripts/miri.sh pipe::      sixteen orders of the threads
#
# Needs: rustup toolchain install nightly --profile minimal --component miri --component rust-src
set -euo pipefail
cd "$(dirname "$0")/.."

[ $# -gt 0 ] || set -- pipe:: rtp:: dtmf::receive dtmf::send
MIRIFLAGS="-Zmiri-strict-provenance ${MIRIFLAGS-}" exec cargo +nightly miri test -p media --no-default-features --lib -- "$@"
