#!/usr/bin/env bash
# The fuzzers of tests/fuzz, one after the other, at the lowest priority.
#
#     scripts/fuzz.sh [TARGET [SECONDS]]     one target, or `all`; 300 seconds each if not said otherwise
#     scripts/fuzz.sh small TARGET           found inputs that reach something new, as small as possible, into the corpus
#
# Targets: see tests/fuzz/targets/mod.rs. The corpus in the repository is what a run begins with and is not changed by it: what
# it learns goes to tests/fuzz/found, what breaks a promise to tests/fuzz/artifacts. A broken promise becomes a file of the corpus
# (`cargo test --test it corpus` runs it from then on) before it is mended.
#
# Needs cargo-fuzz (cargo install cargo-fuzz). The compiler of rust-toolchain.toml does: RUSTC_BOOTSTRAP lets it take the flags
# for coverage. No address sanitizer: there is no unsafe code in what is tested, and without it twice as much is tried.
# The target `chat` builds the whole server.
set -euo pipefail
cd "$(dirname "$0")/../tests/fuzz"
export PATH="$HOME/.cargo/bin:$PATH" RUSTC_BOOTSTRAP=1

fail() { printf 'fuzz: %s\n' "$*" >&2; exit 1; }
command -v cargo-fuzz >/dev/null || fail "cargo-fuzz is missing: cargo install cargo-fuzz"

every=(message stream uri headers multipart sdp stun rtp srtp dialog websocket flow identity)
# Largest input, bytes: enough for every promise, small enough to be tried thousands of times a second.
size() { case "$1" in uri | headers | chat) echo 512 ;; stun | rtp | srtp) echo 1400 ;; dialog | identity) echo 2048 ;; *) echo 4096 ;; esac; }
features() { [ "$1" != chat ] || echo "--features server"; }

run() { local target=$1; shift; nice -n 19 cargo fuzz run --fuzz-dir . -s none $(features "$target") "$target" "$@"; }

try() {
    local target=$1 seconds=$2
    [ -d "corpus/$target" ] || fail "no target '$target': ${every[*]} chat"
    mkdir -p "found/$target"
    printf '\n== %s, %s s\n' "$target" "$seconds"
    run "$target" "found/$target" "corpus/$target" -- -max_total_time="$seconds" -max_len="$(size "$target")" -timeout=20 \
        -rss_limit_mb=1024 -print_final_stats=1 -verbosity=0
}

if [ "${1-}" = small ]; then
    target=${2-}
    [ -d "corpus/$target" ] || fail "small what? ${every[*]} chat"
    mkdir -p "found/$target"
    run "$target" "corpus/$target" "found/$target" -- -merge=1 -max_len="$(size "$target")"
elif [ "${1-all}" = all ]; then
    for target in "${every[@]}"; do try "$target" "${2-300}"; done
else
    try "$1" "${2-300}"
fi
