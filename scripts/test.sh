#!/usr/bin/env bash
# Everything that has to hold before a change goes in, in the order in which it fails soonest, with the time each step took.
#
#     scripts/test.sh [STEP]...      steps: format lint pure full web peers; without arguments: all
set -euo pipefail
cd "$(dirname "$0")/.."
export PATH="$HOME/.cargo/bin:$PATH" CARGO_TERM_COLOR="${CARGO_TERM_COLOR:-auto}"

# Everything is tested with speech recognition in it, and built with the same features everywhere: whisper.cpp is compiled once.
features=(--workspace --locked --features ringdesk/whisper)
# The program that browsers and phones talk to, as the tests of `full` leave it.
program() { cargo test "${features[@]}" --test it --no-run; }

format() { cargo fmt --all --check; }

# The pure floors by themselves first: a tokio that crept into them is seen here.
lint() {
    cargo clippy --workspace --no-default-features --all-targets --locked -- -D warnings
    cargo clippy "${features[@]}" --all-targets -- -D warnings
    # And as it is built by default, without.
    cargo clippy --workspace --locked -- -D warnings
}

pure() { cargo test --workspace --no-default-features --locked; }

full() { scripts/with-postgres.sh cargo test "${features[@]}"; }

# The console: its types, its sizes, and people in browsers against the real program.
web() {
    scripts/web.sh check
    scripts/web.sh build
    program
    RINGDESK_BIN="$PWD/target/debug/ringdesk" scripts/web.sh stories
}

# Real phones against the real program: tests/peers/all, given the binary.
peers() {
    if [ -x tests/peers/all ]; then
        program
        RINGDESK_MUST_HEAR=1 RINGDESK_BIN="$PWD/target/debug/ringdesk" tests/peers/all
    elif [ -d tests/peers ]; then
        echo "tests/peers is there, but tests/peers/all is not or cannot be run" >&2
        return 1
    else
        echo "no tests/peers in this tree"
    fi
}

report=
total=$SECONDS
# The table is printed also when a step fails: it says which.
trap 'printf "\n%-8s %6s\n%b%-8s %5ds\n" step time "$report" total $((SECONDS - total))' EXIT

steps=("$@")
[ ${#steps[@]} -gt 0 ] || steps=(format lint pure full web peers)
for step in "${steps[@]}"; do
    case "$step" in
        format | lint | pure | full | web | peers) ;;
        *) echo "unknown step '$step': format lint pure full web peers" >&2; exit 2 ;;
    esac
    printf '\n== %s\n' "$step"
    began=$SECONDS
    # In a shell of its own: in the condition of an `if`, set -e would sleep.
    set +e
    (set -e; "$step")
    status=$?
    set -e
    took=$((SECONDS - began))
    if [ "$status" != 0 ]; then
        report+=$(printf '%-8s %5ds  failed' "$step" "$took")'\n'
        exit "$status"
    fi
    report+=$(printf '%-8s %5ds' "$step" "$took")'\n'
done
