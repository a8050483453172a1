#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# How tests/check counts what a test has reported: what is wrong must not look
# right, and what the emulator has spoilt is neither.
set -u

top=$(cd "$(dirname "$0")/../.." && pwd)
. "$top/tests/lib/ktap.sh"

# NAME WANT LINE...: passed, failed, skipped, and what is wrong with the report
counts()
{
	local name=$1 want=$2 got

	shift 2
	got=$(printf '%s\n' "$@" | awk -f "$top/tests/lib/ktap-count.awk")
	if [ "$got" = "$want" ]; then
		ktap_pass "$name"
	else
		ktap_fail "$name" "want \"$want\", got \"$got\""
	fi
}

counts "each result" "1 1 1" "1..3" "ok 1 a" "not ok 2 b" "ok 3 c # SKIP d"
counts "only leaves" "2 0 0" "1..1" "  ok 1 a" "  ok 2 b" "  1..2" "ok 1 all"
counts "a failed leaf counts once" "1 1 0" \
	"1..1" "  ok 1 a" "  not ok 2 b" "  1..2" "not ok 1 all"
counts "one that fails though its leaves pass" "1 1 0" \
	"1..1" "  ok 1 a" "  1..1" "not ok 1 all"
counts "no plan" "1 1 0 no plan" "ok 1 a"
counts "a plan that is not kept" "1 1 0 planned 2 results, got 1" "1..2" "ok 1 a"
counts "nor one below" "1 1 0 planned 2 results, got 1" \
	"1..1" "  ok 1 a" "  1..2" "ok 1 all"
again="# two: a fault of the emulator (interrupts lost): it runs again"
counts "what is said to run again is taken back" "4 0 0" "1..2" \
	"  ok 1 a" "  1..1" "ok 1 one" \
	"  ok 1 a" "    ok 1 deep" "  not ok 2 b" "$again" \
	"  ok 1 a" "    ok 1 deep" "    1..1" "  ok 2 b" "  ok 3 c" "  1..3" "ok 2 two"
counts "but not what came before it" "2 1 0" "1..2" \
	"  not ok 1 a" "  1..1" "not ok 1 one" "  ok 1 a" "$again" \
	"  ok 1 a" "  ok 2 b" "  1..2" "ok 2 two"
ktap_exit
