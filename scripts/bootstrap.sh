#!/usr/bin/env bash
# Installs what is missing to build and run ringdesk; with --test also what the tests talk to. Says what it does, does
# nothing twice, and needs a Debian-like system only where something is missing.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(build-essential cmake pkg-config curl ca-certificates git espeak-ng)
test_packages=(chromium sip-tester baresip-core kamailio postgresql python3 sox)
# Kept in step with rust-toolchain.toml, where rustup reads it.
toolchain=$(sed -n 's/^channel *= *"\(.*\)"/\1/p' rust-toolchain.toml)

say() { printf 'bootstrap: %s\n' "$*"; }
fail() { printf 'bootstrap: %s\n' "$*" >&2; exit 1; }

case "${1-}" in
    "") ;;
    --test) packages+=("${test_packages[@]}") ;;
    *) fail "unknown argument '$1'; usage: scripts/bootstrap.sh [--test]" ;;
esac

installed() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        fail "installing packages needs root: run 'apt-get install ${missing[*]}' as root, then try again"
    fi
}

if command -v dpkg-query >/dev/null; then
    missing=()
    for p in "${packages[@]}"; do installed "$p" || missing+=("$p"); done
    # Node may have come from elsewhere; then Debian's would only be in its way.
    command -v node >/dev/null || missing+=(nodejs)
    command -v npm >/dev/null || missing+=(npm)
    if [ ${#missing[@]} -gt 0 ]; then
        say "installing ${missing[*]}"
        as_root apt-get update -q || fail "apt-get update failed: is there a network, and is the clock right?"
        as_root env DEBIAN_FRONTEND=noninteractive apt-get install -yq --no-install-recommends "${missing[@]}" \
            || fail "apt-get could not install ${missing[*]}: what it says above is why"
        # Debian starts a SIP proxy it installs, on the port a center wants; the tests start their own.
        case " ${missing[*]} " in *" kamailio "*)
            if [ -d /run/systemd/system ]; then as_root systemctl disable --now kamailio || true; fi ;;
        esac
    fi
else
    # Another system: the programs count, not the packages.
    for program in cc cmake curl git node npm; do
        command -v "$program" >/dev/null || fail "'$program' is missing and this is no Debian: install it by hand, then try again"
    done
    command -v espeak-ng >/dev/null || say "espeak-ng is missing: prompts without a recording will be a beep"
fi

export PATH="$HOME/.cargo/bin:$PATH"
if ! command -v cargo >/dev/null; then
    say "installing Rust $toolchain with rustup into ~/.cargo"
    curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs \
        | sh -s -- -y -q --no-modify-path --profile minimal --default-toolchain "$toolchain" -c clippy -c rustfmt \
        || fail "rustup could not install Rust: is https://sh.rustup.rs reachable?"
fi
version=$(cargo --version) || fail "cargo is there but does not run; rust-toolchain.toml asks for $toolchain"
say "ready: $version"
