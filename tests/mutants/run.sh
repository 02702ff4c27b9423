#!/usr/bin/env bash
# Breaks the program in small ways, one at a time, and demands that a test notices.
#
#   run.sh                 every tests/mutants/*.patch
#   run.sh FILE.patch…     these
#
# A patch begins with what it breaks, and a line that says which test must fail:
#
#   A message is published before its commit.
#   Test: ./store TestNothingIsPublishedBeforeTheCommit
#
# Flags of `go test -c` may stand before the package (`Test: -race ./broker TestRouting`). The tree is left
# alone: Go builds the broken files by -overlay. So a patch can break Go files and embedded ones, not files
# that a test opens by itself.
#
# The go command would compile anew whatever imports the broken package, the large API before all. That is needed
# only where the break shows outside of it, as in a body that was inlined elsewhere, and the linker knows: it
# refuses a package that was compiled against another face of one that it imports. So the broken package
# alone is compiled, and linked with the others as they are. What the linker refuses, go test -c makes.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)

# say prints a line of the table.
say() { printf '%-10s %-44s %s\n' "$1" "$2" "$3"; }

# overlay DIR PATCH makes the broken files below DIR and prints Go's map of them.
overlay() {
  local dir=$1 patch=$2 file comma=''
  printf '{"Replace":{'
  while read -r file; do
    mkdir -p "$dir/$(dirname "$file")"
    cp "$root/$file" "$dir/$file"
    printf '%s"%s":"%s"' "$comma" "$root/$file" "$dir/$file"
    comma=,
  done < <(sed -n 's|^+++ b/\([^[:space:]]*\).*|\1|p' "$patch")
  printf '}}\n'
  (cd "$dir" && git apply -p1 "$patch") >&2
}

# archives FLAGS PACKAGE… prints what the packages are compiled to: path, the test that it is a variant for, file.
archives() { go list -export -f '{{if .Export}}{{.ImportPath}} {{.Export}}{{end}}' "$@"; }

# relink WORK PACKAGE makes the test binary of the archives of all and that of the package that the patch breaks,
# another one. It fails where more is needed.
relink() {
  local work=$1 path
  path=$(go list "$2") || return 1
  mapfile -t broken < <(cd "$work/broken" && find . -type f -printf '%h\n' | sort -u)
  [ ${#broken[@]} = 1 ] && [ "${broken[0]}" != "$2" ] || return 1
  archives -overlay "$work/overlay.json" "${broken[0]}" >"$work/archive" || return 1
  # Of several archives of a package the last is meant.
  { grep -v ']' "$ARCHIVES"; grep -F " [$path.test] " "$ARCHIVES"; cat "$work/archive"; } |
    awk '{ file[$1] = $NF } END { for (path in file) print "packagefile " path "=" file[path] }' >"$work/importcfg"
  go tool link -o "$work/test" -importcfg "$work/importcfg" -s -w -X testing.testBinary=1 \
    "$(sed -n "s|^packagefile $path\.test=||p" "$work/importcfg")"
}

# compile WORK PACKAGE FLAGS makes the test binary.
compile() {
  if [ $# = 2 ] && relink "$1" "$2" 2>"$1/why"; then return; fi
  go test -c -vet=off -ldflags='-s -w' "${@:3}" -overlay "$1/overlay.json" -o "$1/test" "$2"
}

# pattern makes -run's pattern of a test's name, subtests included.
pattern() { local p=${1//\//$\/^}; printf '^%s$' "$p"; }

# try PATCH breaks the program and says whether the test saw it.
try() {
  local patch=$1 name work code=0
  name=$(basename "$patch" .patch)
  work=$(mktemp -d)
  # shellcheck disable=SC2064 # the directory of now is meant
  trap "rm -rf '$work'" EXIT
  local words
  read -ra words < <(sed -n 's/^Test: *//p' "$patch" | head -n 1) || true
  if [ ${#words[@]} -lt 2 ]; then
    say BROKEN "$name" 'has no line «Test: ./package TestName»'
    return 1
  fi
  local test=${words[-1]} package=${words[-2]} flags=("${words[@]:0:${#words[@]}-2}")
  if ! overlay "$work/broken" "$patch" >"$work/overlay.json" 2>"$work/log"; then
    say BROKEN "$name" 'does not apply:'
    cat "$work/log"
    return 1
  fi
  if ! (cd "$root" && compile "$work" "$package" "${flags[@]}") >"$work/log" 2>&1; then
    say BROKEN "$name" 'does not compile:'
    cat "$work/log"
    return 1
  fi
  local began=$SECONDS
  (cd "$root/$package" && "$work/test" -test.run "$(pattern "$test")" -test.failfast -test.timeout 60s) >"$work/log" 2>&1 || code=$?
  if [ "$code" = 0 ]; then
    say SURVIVED "$name" "$package $test passes"
    tail -n 5 "$work/log"
    return 1
  fi
  # The named test itself must have failed, and not what runs before or after all tests.
  if ! grep -qE -- "--- FAIL: ${test}( |\$)|^panic: test timed out|^fatal error: " "$work/log"; then
    say BROKEN "$name" "$package failed, but not by $test:"
    tail -n 20 "$work/log"
    return 1
  fi
  say killed "$name" "$package $test ($((SECONDS - began)) s)"
}

# Each try is a process of its own, whose lines come out together.
if [ "${1:-}" = --try ]; then
  code=0
  lines=$(try "$2") || code=1
  echo "$lines"
  exit "$code"
fi
patches=("$@")
[ $# -gt 0 ] || patches=("$here"/*.patch)
[ -e "${patches[0]}" ] || { echo 'no mutants found'; exit 1; }
table=$(mktemp)
ARCHIVES=$(mktemp)
export ARCHIVES
trap 'rm -f "$table" "$ARCHIVES"' EXIT
(cd "$root" && archives -deps -test $(sed -n 's/^Test:.* \(\.[^ ]*\) [^ ]*$/\1/p' "${patches[@]}" | sort -u)) >"$ARCHIVES"
realpath -z "${patches[@]}" | xargs -0 -n 1 -P "$(nproc)" bash "$0" --try | tee "$table" || true
killed=$(grep -c '^killed ' "$table" || true)
echo "$killed mutants killed, $((${#patches[@]} - killed)) not"
[ "$killed" = ${#patches[@]} ]
