#!/usr/bin/env bash
# Runs parts of the tests and counts them: parts.sh NAME...
#
# A part is scripts/test/NAME.sh. The second line of that file is the part's title. It exits with 0
# if it passed, with 77 if this machine lacks what it needs, which its last line of output names, and
# with anything else if it failed. Output is shown only of parts that fail.
set -uo pipefail

passed=0
failed=0
skipped=()

for part in "$@"; do
    script=scripts/test/$part.sh
    printf '== %s: %s\n' "$part" "$(sed -n '2s/^# //p' "$script")"
    began=$SECONDS
    scripts/quietly.sh "$part" "$script"
    case $? in
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
    printf '   %s (%d s)\n' "$verdict" $((SECONDS - began))
done

[ ${#skipped[@]} -eq 0 ] || echo "skipped here: ${skipped[*]}"
echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
