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
# Most of the time would go into compiling and linking. So the breaks are put into one build, where MUTANT says which of them
# is alive (see blend), and each test that is named must pass there while none is. A test that starts the program must
# hand its environment on. What cannot be taken in is built alone, in a fraction of what `go test` would take:
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
# By other steps of theirs, the tests of models pass over a mutant now and then.
export PARLEY_TEST_SEED=${PARLEY_TEST_SEED:-7}
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

# words PATCH prints the line's flags, package and test.
words() { sed -n 's/^Test: *//p' "$1" | head -n 1; }

# fails PACKAGE TEST BINARY LOG runs the test of the binary: 0 where it fails, 1 where it passes, 2 where something
# else fails than the test itself, such as what runs before or after all tests.
fails() {
  local code=0
  (cd "$root/$1" && "$3" -test.run "$(pattern "$2")" -test.failfast -test.timeout 60s) >"$4" 2>&1 || code=$?
  [ "$code" != 0 ] || return 1
  grep -qE -- "--- FAIL: ${2}( |\$)|^panic: test timed out|^fatal error: " "$4" || return 2
}

# judge CODE NAME WHAT LOG says what became of a mutant by the code of fails.
judge() {
  case $1 in
    0) say killed "$2" "$3" ;;
    1) say SURVIVED "$2" "$3 passes" && tail -n 5 "$4" ;;
    *) say BROKEN "$2" "it failed, but not by $3:" && tail -n 20 "$4" ;;
  esac
  return "$1"
}

# try PATCH breaks the program and says whether the test saw it.
try() {
  local patch=$1 name work words code=0
  name=$(basename "$patch" .patch)
  work=$(mktemp -d)
  # shellcheck disable=SC2064 # the directory of now is meant
  trap "rm -rf '$work'" EXIT
  read -ra words < <(words "$patch") || true
  if [ ${#words[@]} -lt 2 ]; then
    say BROKEN "$name" 'has no line «Test: ./package TestName»'
    return 1
  fi
  local test=${words[-1]} package=${words[-2]} flags=("${words[@]:0:${#words[@]}-2}") began=$SECONDS
  if grep -qxF -- "$name" "$BLEND/names"; then
    MUTANT=$name fails "$package" "$test" "$(blended "$package")" "$work/log" || code=$?
    judge "$code" "$name" "$package $test ($((SECONDS - began)) s)" "$work/log"
    return
  fi
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
  fails "$package" "$test" "$work/test" "$work/log" || code=$?
  judge "$code" "$name" "$package $test, built alone ($((SECONDS - began)) s)" "$work/log"
}

# blended PACKAGE is the test binary that has the mutants in it.
blended() { echo "$BLEND/bin/${1//\//-}.test"; }

# whole PACKAGE TEST… demands that the tests pass in the blended binary while no mutant is alive in it.
whole() {
  local package=$1 test patterns=() log=$BLEND/whole${1//\//-}
  for test in "${@:2}"; do patterns+=("$(pattern "$test")"); done
  if (cd "$root/$package" && "$(blended "$package")" -test.timeout 10m -test.run "$(IFS='|' && echo "${patterns[*]}")") >"$log" 2>&1; then
    return
  fi
  say BROKEN "$package" 'its tests fail without a mutant:'
  tail -n 40 "$log"
  return 1
}

# make_blend PATCH… puts the mutants into one build, and prints a line with package and tests for each binary.
make_blend() {
  local patch name words packages
  touch "$BLEND/names" "$BLEND/tests"
  for patch in "$@"; do
    name=$(basename "$patch" .patch)
    read -ra words < <(words "$patch") || true
    # With flags, or with what try finds wrong, it is built alone.
    if [ ${#words[@]} != 2 ] || ! overlay "$BLEND/broken/$name" "$patch" >/dev/null 2>&1; then rm -rf "$BLEND/broken/$name"; continue; fi
    echo "$name ${words[*]}" >>"$BLEND/tests"
  done
  cd "$root"
  [ ! -s "$BLEND/tests" ] || go run ./tests/mutants/blend "$root" "$BLEND/broken" "$BLEND" >"$BLEND/taken" || return 0
  packages=$(awk '{ print $2 }' "$BLEND/tests" | sort -u)
  local package
  for package in $packages; do
    if ! go test -c -vet=off -ldflags='-s -w' -overlay "$BLEND/overlay.json" -o "$(blended "$package")" "$package"; then
      echo 'the mutants do not compile together: each is built alone' >&2
      return 0
    fi
  done
  mv "$BLEND/taken" "$BLEND/names"
  awk 'NR == FNR { taken[$1]; next } $1 in taken && !seen[$2, $3]++ { tests[$2] = tests[$2] " " $3 } END { for (p in tests) print p tests[p] }' \
    "$BLEND/names" "$BLEND/tests"
}

# Each try is a process of its own, whose lines come out together.
if [ "${1:-}" = --try ] || [ "${1:-}" = --whole ]; then
  code=0
  lines=$("${1#--}" "${@:2}") || code=1
  [ -z "$lines" ] || echo "$lines"
  exit "$code"
fi
patches=("$@")
[ $# -gt 0 ] || patches=("$here"/*.patch)
[ -e "${patches[0]}" ] || { echo 'no mutants found'; exit 1; }
BLEND=$(mktemp -d)
ARCHIVES=$BLEND/archives
export ARCHIVES BLEND
trap 'rm -rf "$BLEND"' EXIT
mapfile -t patches < <(realpath "${patches[@]}")
make_blend "${patches[@]}" >"$BLEND/whole"
whole=0
xargs -r -L 1 -P "$(nproc)" bash "$0" --whole <"$BLEND/whole" || whole=1
(cd "$root" && archives -deps -test $(sed -n 's/^Test:.* \(\.[^ ]*\) [^ ]*$/\1/p' "${patches[@]}" | sort -u)) >"$ARCHIVES"
# One more than there are cores: some wait for a time limit of what they look at.
printf '%s\0' "${patches[@]}" | xargs -0 -n 1 -P $(($(nproc) + 1)) bash "$0" --try | tee "$BLEND/table" || true
killed=$(grep -c '^killed ' "$BLEND/table" || true)
echo "$killed mutants killed, $((${#patches[@]} - killed)) not"
[ "$killed" = ${#patches[@]} ] && [ "$whole" = 0 ]
