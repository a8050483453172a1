# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# KTAP for tests that run on the build machine: each result as it comes, the
# plan at the end, kselftest's exit codes. A test that dies has no plan, which
# tests/check takes for a failure.

_ktap_passed=0
_ktap_failed=0
_ktap_skipped=0

_ktap_number()
{
	echo $((_ktap_passed + _ktap_failed + _ktap_skipped))
}

# NAME
ktap_pass()
{
	_ktap_passed=$((_ktap_passed + 1))
	echo "ok $(_ktap_number) $1"
}

# Standard input, cut to what a person reads: the first words of a compiler
# tell the most, the last ones of a program.
_ktap_details()
{
	awk '{ line[NR] = $0 }
	END {
		for (i = 1; i <= NR; i++) {
			if (i == 41 && NR > 60) {
				print "#   [...]"
				i = NR - 20
			} else {
				print "#   " line[i]
			}
		}
	}'
}

# NAME WHY [DETAILS]
ktap_fail()
{
	_ktap_failed=$((_ktap_failed + 1))
	echo "# $1: $2"
	[ -z "${3-}" ] || _ktap_details <<<"$3"
	echo "not ok $(_ktap_number) $1"
}

# NAME WHY
ktap_skip()
{
	_ktap_skipped=$((_ktap_skipped + 1))
	echo "ok $(_ktap_number) $1 # SKIP $2"
}

# NAME COMMAND...: passes when the command succeeds
ktap_succeeds()
{
	local name=$1 out

	shift
	if out=$("$@" 2>&1); then
		ktap_pass "$name"
	else
		ktap_fail "$name" "$1 failed" "$out"
	fi
}

# NAME COMMAND...: passes when the command succeeds and says nothing
ktap_silent()
{
	local name=$1 out status=0

	shift
	out=$("$@" 2>&1) || status=$?
	if [ $status -ne 0 ]; then
		ktap_fail "$name" "$1 failed with $status" "$out"
	elif [ -n "$out" ]; then
		ktap_fail "$name" "$1 has something to say" "$out"
	else
		ktap_pass "$name"
	fi
}

ktap_exit()
{
	echo "1..$(_ktap_number)"
	[ $_ktap_failed -eq 0 ] || exit 1
	[ $_ktap_passed -gt 0 ] && exit 0
	[ $_ktap_skipped -gt 0 ] && exit 4
	exit 1
}
