# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Test results as KTAP.  The counters live in a file, so a result reported
# from a subshell or the end of a pipeline counts like any other: a lost
# "not ok" would look like a pass.

_KTAP_COUNT=${LAB_STATE:-/run/lab}/ktap

ktap_start() {
	echo "0 0 0" >"$_KTAP_COUNT"
	echo "TAP version 14"
}

# $1 = passed, failed or skipped; $2 = the rest of the line.
_ktap_result() {
	local passed failed skipped n ok=ok

	if [ "$LAB_LEVEL" != 1 ]; then
		# No counter in a guest: guest_tap numbers its lines.
		[ "$1" = failed ] && ok="not ok"
		echo "$ok - $2"
		return
	fi
	read -r passed failed skipped <"$_KTAP_COUNT"
	case $1 in
	passed) passed=$((passed + 1)) ;;
	failed) failed=$((failed + 1)) ok="not ok" ;;
	skipped) skipped=$((skipped + 1)) ;;
	esac
	n=$((passed + failed + skipped))
	echo "$passed $failed $skipped" >"$_KTAP_COUNT"
	echo "$ok $n - $2"
}

# test_ok DESCRIPTION
test_ok() {
	_ktap_result passed "$1"
}

# test_fail DESCRIPTION; returns 1, so that it can end a function.
test_fail() {
	_ktap_result failed "$1"
	return 1
}

# skip DESCRIPTION WHY
skip() {
	_ktap_result skipped "$1 # SKIP ${2:-}"
}

# diag [TEXT...]: diagnosis lines; without TEXT, from standard input.
diag() {
	if [ $# -gt 0 ]; then
		echo "# ${*//$'\n'/$'\n'# }"
	else
		sed 's/^/# /'
	fi
}

# The output of a checked command goes to a file and not through a pipe: the
# command runs in this shell, so it may set variables and start processes that
# outlive it.
_check_serial=0

_check_report() {
	local status=$1 out=$2

	shift 2
	diag "command: $*"
	diag "exit status: $status"
	tail -n 60 "$out" | diag
}

# check DESCRIPTION CMD...: passes if CMD succeeds; shows its output if not.
check() {
	local desc=$1 status out

	shift
	out=${TMPDIR:-/tmp}/check.$BASHPID.$((_check_serial += 1))
	"$@" >"$out" 2>&1
	status=$?
	if [ $status -eq 0 ]; then
		test_ok "$desc"
	else
		test_fail "$desc"
		_check_report $status "$out" "$@"
	fi
	rm -f "$out"
	return $status
}

# check_fails DESCRIPTION CMD...: passes if CMD fails, but not if it cannot
# be run, is killed or runs out of time.
check_fails() {
	local desc=$1 status out

	shift
	out=${TMPDIR:-/tmp}/check.$BASHPID.$((_check_serial += 1))
	"$@" >"$out" 2>&1
	status=$?
	if [ $status -gt 0 ] && [ $status -lt 124 ]; then
		test_ok "$desc"
		status=0
	else
		test_fail "$desc"
		diag "this had to fail"
		_check_report $status "$out" "$@"
		status=1
	fi
	rm -f "$out"
	return $status
}

# check_equal DESCRIPTION WANT GOT
check_equal() {
	if [ "$2" = "$3" ]; then
		test_ok "$1"
	else
		test_fail "$1"
		diag "want: $2"
		diag "got:  $3"
		return 1
	fi
}

# The plan, and the exit status: 0 pass, 1 fail, 4 skip.  No result at all is
# a failure.
ktap_finish() {
	local passed failed skipped

	read -r passed failed skipped <"$_KTAP_COUNT"
	echo "1..$((passed + failed + skipped))"
	[ "$failed" -gt 0 ] && return 1
	[ "$passed" -gt 0 ] && return 0
	[ "$skipped" -gt 0 ] && return 4
	diag "no test was run"
	return 1
}

# within SECONDS CMD...: until it succeeds.
within() {
	local end=$((SECONDS + $1 * LAB_TIME_SCALE))

	while ! "${@:2}" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return
		sleep 0.1
	done
}
