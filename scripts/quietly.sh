#!/usr/bin/env bash
# Runs a command whose output matters only if it fails: quietly.sh NAME COMMAND...
#
# The output goes to target/logs/NAME.log; on failure its end is shown. Returns what the command
# returned.
set -uo pipefail

name=$1
shift
log=target/logs/$name.log
mkdir -p "$(dirname "$log")"

"$@" >"$log" 2>&1
status=$?
if [ $status -ne 0 ] && [ $status -ne 77 ]; then
    echo "--- the end of $log"
    tail -n 60 "$log"
    echo "---"
fi
exit $status
