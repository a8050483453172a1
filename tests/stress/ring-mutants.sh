#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Shows that the stress test would see what it is there to see: builds of it
# without a barrier must fail, and for the right reason.
set -u

top=$(cd "$(dirname "$0")/../.." && pwd)
out=${BUILD:-$top/build}/tests/stress
. "$top/tests/lib/ktap.sh"

# NAME WORDS...: build NAME fails, and says WORDS
must_fail()
{
	local name=$1 words=$2 log

	if log=$(TSAN_OPTIONS=halt_on_error=1 "$out/$name" 150 300 2>&1); then
		ktap_fail "$name" "passed without its barrier"
	elif ! grep -q "$words" <<<"$log"; then
		ktap_fail "$name" "failed, but not with: $words" "$log"
	else
		ktap_pass "$name"
	fi
}

must_fail mutant_no_mb 'was not woken'
must_fail mutant_relaxed_store 'data race'
must_fail mutant_relaxed_load 'data race'
ktap_exit
