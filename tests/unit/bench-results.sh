#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What the benchmarks make of what they have measured.
set -u

top=$(cd "$(dirname "$0")/../.." && pwd)
. "$top/tests/lib/ktap.sh"

if ! command -v python3 >/dev/null; then
	ktap_skip "bench-results" "no python3"
	ktap_exit
fi
out=$(cd "$top/tests/bench" && python3 -B -m unittest -v test_results 2>&1)
status=$?
tests=0
while read -r name rest; do
	case $rest in
	*"... ok") ktap_pass "$name" && tests=$((tests + 1)) ;;
	*"... FAIL" | *"... ERROR") ktap_fail "$name" "failed" "$out" ;;
	esac
done <<<"$out"
# what ended before it said which test
[ $status -eq 0 ] && [ $tests -gt 0 ] || [ $_ktap_failed -gt 0 ] ||
	ktap_fail "bench-results" "unittest failed with $status" "$out"
ktap_exit
