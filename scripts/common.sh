# What the scripts share: make .venv and install mmchat into it. Sourced, not run.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
venv="$root/.venv"

fail() {
  printf 'Error: %s\n' "$*" >&2
  exit 1
}

find_python() {
  local candidate
  for candidate in "${PYTHON:-}" python3 python3.13 python3.12 python3.11 python; do
    [ -n "$candidate" ] && command -v "$candidate" >/dev/null || continue
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      printf '%s\n' "$candidate"
      return
    fi
  done
  fail "no Python 3.11 or newer was found. Install one, or name it: PYTHON=/path/to/python3 $0"
}

# ensure_environment [EXTRA]: make the environment, and bring it up to date where pyproject.toml or the
# constraints changed since it was made. A half-made one is finished by running the script again.
ensure_environment() {
  local extra="${1:-}" python stamp wanted
  python="$(find_python)"
  [ -x "$venv/bin/python" ] || { echo "Making $venv" >&2; "$python" -m venv "$venv"; }
  stamp="$venv/.mmchat-${extra:-base}"
  wanted="$(cat "$root/pyproject.toml" "$root/constraints.txt" | cksum)"
  # What the developers' environment holds is more than the plain one needs.
  grep -qsxF "$wanted" "$stamp" "$venv/.mmchat-dev" && return
  echo "Installing mmchat and what it needs (some minutes the first time)" >&2
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check \
    --constraint "$root/constraints.txt" --editable "$root${extra:+[$extra]}" >&2 ||
    fail "the installation failed; pip's message stands above. Check its index and proxy with 'pip config list' and run $0 again."
  printf '%s' "$wanted" >"$stamp"
}
