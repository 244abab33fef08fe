#!/usr/bin/env bash
# Runs parts of the tests and counts them: parts.sh NAME...
#
# A part is scripts/test/NAME.sh. The second line of that file is the part's title. It exits with 0
# if it passed, with 77 if this machine lacks what it needs, which its last line of output names, and
# with anything else if it failed. Output is shown only of parts that fail.
#
# Two parts run at a time where there is more than one processor, since each of them often waits for one
# thread: a linker, a test. VMSHARE_LANES says how many instead.
set -uo pipefail

lanes=${VMSHARE_LANES:-$(($(nproc) > 1 ? 2 : 1))}
passed=0
failed=0
skipped=()
declare -A running=() began=()

start() { # part
    scripts/quietly.sh "$1" "scripts/test/$1.sh" &
    running[$!]=$1
    began[$1]=$SECONDS
}

# Waits for one of those that run.
finish() {
    local process part status verdict
    wait -n -p process "${!running[@]}"
    status=$?
    part=${running[$process]}
    unset "running[$process]"
    case $status in
    0)
        passed=$((passed + 1))
        verdict=passed
        ;;
    77)
        verdict="skipped: $(tail -n 1 "target/logs/$part.log")"
        skipped+=("$part")
        ;;
    *)
        failed=$((failed + 1))
        verdict=FAILED
        ;;
    esac
    printf '== %s: %s\n   %s (%d s)\n' "$part" "$(sed -n '2s/^# //p' "scripts/test/$part.sh")" \
        "$verdict" $((SECONDS - began[$part]))
}

for part in "$@"; do
    [ ${#running[@]} -lt "$lanes" ] || finish
    start "$part"
done
while [ ${#running[@]} -gt 0 ]; do
    finish
done

[ ${#skipped[@]} -eq 0 ] || echo "skipped here: ${skipped[*]}"
echo "$passed passed, $failed failed, $((SECONDS / 60)) min $((SECONDS % 60)) s"
[ $failed -eq 0 ] && [ $((passed + ${#skipped[@]})) -eq $# ]
