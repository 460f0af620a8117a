#!/usr/bin/env bash
# Everything the other commands need: a Python environment in .venv, node modules, the built panel; with the argument "browser"
# a Chromium, too. Each part is stamped with a checksum of what it was made from, so a second run takes a moment.
# PYTHON=/path/to/python chooses the Python, CHROMIUM=/path/to/chromium the browser.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export PIP_DISABLE_PIP_VERSION_CHECK=1 PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1
PATH=${PATH//"$PWD/.venv/bin:"/} # the environment must not be made from itself

say() { printf '%s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
quietly() { # quietly LOG COMMAND …: the output goes to the log; the end of it is shown if the command fails
  local log=$1
  shift
  "$@" >"$log" 2>&1 </dev/null || { tail -n 40 "$log" >&2; die "set-up: this failed: $*  (all of its output: $log)"; }
}
checksum() { cat "$@" | cksum | tr -d ' '; }
is_stamped() { [ "$(cat "$1" 2>/dev/null)" = "$2" ]; }

# --- what must be on the machine, before anything slow -----------------------------------------------------------------------

python_version() { # prints 3.12.1, or nothing for what does not run (a pyenv shim without a version, say)
  "$1" -c 'import sys; print(".".join(map(str, sys.version_info[:3])))' 2>/dev/null </dev/null || true
}

find_python() { # the first Python of 3.11 or newer that can make environments
  local found="" candidate version
  for candidate in ${PYTHON:-python3 python python3.13 python3.12 python3.11 python3.14 \
    "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.*/bin/python3 "$HOME"/.local/share/uv/python/cpython-3.*/bin/python3}; do
    version=$(python_version "$candidate")
    case "$version" in
      "") continue ;;
      3.1[1-9].* | 3.[2-9][0-9].*)
        if "$candidate" -c 'import venv, ensurepip' 2>/dev/null; then
          command -v "$candidate"
          return
        fi
        found="$found, $candidate $version without the venv module (on Debian: apt install python${version%.*}-venv)" ;;
      *) found="$found, $candidate $version" ;;
    esac
  done
  [ -n "$found" ] || found=", none"
  die "Python 3.11 or newer is needed (found: ${found#, }): apt install python3 python3-venv, brew install python, or" \
    "uv python install 3.12. PYTHON=/path/to/python chooses one."
}

check_node() {
  local how="get Node 22 from https://nodejs.org, with nvm install 22, or with brew install node" version major minor
  command -v node >/dev/null 2>&1 || die "Node 20.19 or newer, or 22.12 or newer, is needed and not found: $how."
  version=$(node --version 2>/dev/null || echo v0.0.0)
  IFS=. read -r major minor _ <<<"${version#v}"
  if ! { [ "$major" -eq 20 ] && [ "$minor" -ge 19 ]; } && ! { [ "$major" -eq 22 ] && [ "$minor" -ge 12 ]; } && [ "$major" -lt 23 ]; then
    die "Node ^20.19 or >=22.12 is needed and node is $version: $how."
  fi
}

find_browser() {
  local candidate
  for candidate in ${CHROMIUM:-chromium chromium-browser google-chrome}; do
    command -v "$candidate" && return
  done
  return 1
}

apt() { # apt-get with the rights it needs, or failure where there is no way to them
  command -v apt-get >/dev/null 2>&1 || return 1
  if [ "$(id -u)" -eq 0 ]; then DEBIAN_FRONTEND=noninteractive apt-get "$@"; else sudo -n apt-get "$@"; fi
}

browser_help="The browser tests need Chromium: apt install chromium, or CHROMIUM=/path/to/chromium make test. All others run."

python=$(find_python)
check_node
[ "${1:-}" != browser ] || find_browser >/dev/null || apt --version >/dev/null 2>&1 || say "$browser_help"
export PATH="$PWD/.venv/bin:$PATH"
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT

# --- the parts ---------------------------------------------------------------------------------------------------------------

requirements() { # what the package needs, what JupyterLab needs, what developers need: one list for one pip run
  .venv/bin/python - <<'PYTHON'
import tomllib
with open("pyproject.toml", "rb") as file:
    pyproject = tomllib.load(file)
project = pyproject["project"]
print(*project["dependencies"], *project["optional-dependencies"]["lab"], *pyproject["dependency-groups"]["dev"], sep="\n")
PYTHON
}

python_key="$(python_version "$python")-$(checksum pyproject.toml)-$PWD"
node_key="$(node --version)-$(checksum package.json yarn.lock .yarnrc.yml)"
panel_key() {
  {
    cat package.json yarn.lock tsconfig.json
    find labextension -type f -not -path '*/lib/*' -not -name '*.tsbuildinfo' | LC_ALL=C sort | while read -r file; do cat "$file"; done
  } | cksum | tr -d ' '
}

first_python() { # the environment and the one package that brings jlpm
  local made="$(python_version "$python") $PWD" # an environment that was moved with its checkout does not run
  if [ -z "$(python_version .venv/bin/python)" ] || ! is_stamped .venv/.stamp-made "$made"; then
    say "set-up: Python environment in .venv (${made%% *})"
    "$python" -m venv --clear .venv
    printf %s "$made" >.venv/.stamp-made
  fi
  quietly .venv/pip.log .venv/bin/python -m pip install 'jupyter-builder>=1.2,<2'
}

rest_of_python() {
  say "set-up: Python packages (the first time takes a minute)"
  requirements >.venv/requirements.txt
  quietly .venv/pip.log .venv/bin/python -m pip install --no-compile -r .venv/requirements.txt
  # on all cores, which pip does not; also where PYTHONDONTWRITEBYTECODE is set, and each process would compile all of JAX (3 s)
  .venv/bin/python -m compileall -q -j0 .venv/lib >/dev/null || true # some packages carry files for other Pythons
}

node_modules() {
  say "set-up: node modules (the first time takes a minute)"
  quietly .venv/jlpm.log jlpm install --immutable
  printf %s "$node_key" >node_modules/.stamp
}

install_browser() {
  apt install -y --no-install-recommends chromium || { apt update && apt install -y --no-install-recommends chromium; }
}

panel() {
  say "set-up: building the panel"
  rm -rf jupyter_jitmagic/labextension jupyter_jitmagic/static
  quietly .venv/panel.log jlpm build:prod
  panel_key >node_modules/.stamp-panel
}

# --- what is to be done ------------------------------------------------------------------------------------------------------

if [ "${1:-}" = browser ] && ! find_browser >/dev/null && apt --version >/dev/null 2>&1; then
  say "set-up: installing chromium with apt"
  install_browser >/dev/null 2>&1 || say "$browser_help"
fi &
browser_job=$!
if ! is_stamped .venv/.stamp-python "$python_key" || ! .venv/bin/python -c "" 2>/dev/null; then
  first_python
  rest_of_python &
  python_job=$!
fi
if ! is_stamped node_modules/.stamp "$node_key"; then node_modules; fi
if [ "$(cat node_modules/.stamp-panel 2>/dev/null)" != "$(panel_key)" ] || ! [ -f jupyter_jitmagic/labextension/package.json ] ||
  ! [ -f jupyter_jitmagic/static/widget.js ]; then panel; fi
if [ -n "${python_job:-}" ]; then
  wait "$python_job" || exit 1
  # the assets exist by now, so this runs no node; a link in place of their copy lets a rebuilt panel show without a new install
  # (made anew each time: pip, replacing the package, would follow the link and remove what it leads to)
  installed=.venv/share/jupyter/labextensions/jupyter-jitmagic
  rm -rf "$installed"
  quietly .venv/pip.log .venv/bin/python -m pip install --no-build-isolation --no-deps -e .
  rm -rf "$installed"
  ln -s "$PWD/jupyter_jitmagic/labextension" "$installed"
  printf %s "$python_key" >.venv/.stamp-python
fi
wait "$browser_job"
