# Sourced by the other scripts: where things are, and one way of saying what happens.
#   . "$(dirname "$0")/lib.sh"

set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
third_party=${ENTENTE_THIRD_PARTY_DIR:-$root/third_party}

say() { printf '%s: %s\n' "$(basename "$0")" "$*"; }

fail() {
    printf '%s: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

# Runs a command as root, through sudo where we are not.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo -E "$@"
    else
        fail "expected root or sudo for: $*"
    fi
}

# check_sha256 FILE DIGEST
check_sha256() {
    printf '%s  %s\n' "$2" "$1" | sha256sum --check --quiet --status ||
        fail "$1: expected SHA-256 $2, found $(sha256sum "$1" | cut -d' ' -f1)"
}
