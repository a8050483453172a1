# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Results as a person and as a program want them.

REPORT_PASSED=0 REPORT_FAILED=0 REPORT_SKIPPED=0

# report_line TEXT: to standard output and the summary.
report_line() {
	echo "$1"
	echo "$1" >>"$RESULTS/results.ktap"
}

report_start() {
	: >"$RESULTS/results.ktap"
	report_line "TAP version 14"
	report_line "1..$1"
}

# report_scenario N NAME STATUS SECONDS [WHY]
report_scenario() {
	local ok=ok note=

	case $3 in
	0) REPORT_PASSED=$((REPORT_PASSED + 1)) ;;
	4) REPORT_SKIPPED=$((REPORT_SKIPPED + 1)) note=" # SKIP" ;;
	*) REPORT_FAILED=$((REPORT_FAILED + 1)) ok="not ok" ;;
	esac
	[ -z "${5:-}" ] || report_line "# $2: $5"
	report_line "$ok $1 $2 [$PAIR] ($4s)$note"
}

report_finish() {
	report_line "# Totals: pass:$REPORT_PASSED fail:$REPORT_FAILED skip:$REPORT_SKIPPED"
	report_line "# logs: $RESULTS"
}

# report_console [SCENARIO]: of a host VM that died or hung: the first kernel
# problem since the scenario began, or else the end of its console.
report_console() {
	local part=$RESULTS/console-part.log problems

	[ -s "$RESULTS/qemu.log" ] && tail -n 20 "$RESULTS/qemu.log" | diag
	tail -c +$((VM_CONSOLE + 1)) "$RESULTS/console.log" |
		if [ -n "${1:-}" ]; then sed -n "/lab: begin $1/,\$p"; else cat; fi >"$part"
	problems=$(kmsg_problems host "$part")
	if [ -n "$problems" ]; then
		echo "# console of the host VM, from the first problem:"
		kmsg_excerpt "$part" "${problems%%:*}" | diag
	else
		echo "# end of the console of the host VM:"
		tail -n 40 "$part" | tr -d '\r' | diag
	fi
}
