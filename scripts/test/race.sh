#!/usr/bin/env bash
# main's writes against another ractor's reads, 10^5 rounds for each placement and policy
set -euo pipefail

scripts/race.sh 100000
