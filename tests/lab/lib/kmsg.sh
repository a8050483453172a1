# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Kernel trouble: what it looks like in a kernel log, and how a scenario says
# that it expects some.

# Headers of the kernel's problem reports.  "Call Trace:" is left out: every
# report has a header of its own, and an expected report would need two
# expectations.
_KMSG_BAD='\bBUG: |\bBUG at |WARNING: |Oops:|Kernel panic|general protection fault'
_KMSG_BAD+='|unable to handle|kernel NULL pointer|[Ii]nvalid opcode: |double fault:|stack segment:'
_KMSG_BAD+='|KASAN|KCSAN|KFENCE|UBSAN|ODEBUG|kmemleak: [0-9]+ new suspected|refcount_t: '
_KMSG_BAD+='|list_(add|del) corruption|INFO: .*(lock|deadlock|RCU|recursive)|DEADLOCK'
_KMSG_BAD+='|INFO: task .* blocked for more than|hung_task: |soft lockup|hard LOCKUP|hogged CPU for'
_KMSG_BAD+='|rcu.*(self-)?detected.*stall|rcu.*stalls on|irq [0-9]+: nobody cared|Disabling IRQ'
_KMSG_BAD+='|[Bb]ad page (state|map)|page allocation failure|Out of memory:|oom-kill:|invoked oom-killer'
_KMSG_BAD+='|sleeping function called|scheduling while atomic|suspicious RCU|segfault at|traps: '
_KMSG_BAD+='|lab-init: FAILED|------------\[ cut here'

# What the supported stock kernels print by themselves in this lab, as
# extended regular expressions with the reason for each.  Keep it narrow.
_kmsg_stock() {
	cat <<-'END'
	END
}

# kmsg_expect WHERE REGEX: in this scenario the log of WHERE ("host" or a
# guest's name) must have a matching line, which is then no failure.
kmsg_expect() {
	printf 'must\t%s\t%s\n' "$1" "$2" >>"$LAB_STATE/kmsg.expect"
}

# kmsg_allow WHERE REGEX: like kmsg_expect, but the line need not appear.
kmsg_allow() {
	printf 'may\t%s\t%s\n' "$1" "$2" >>"$LAB_STATE/kmsg.expect"
}

# kmsg_mark TEXT: a line in this kernel's log, and on its console.
kmsg_mark() {
	echo "<4>lab: $1" >/dev/kmsg
}

# kmsg_since TEXT: this kernel's log since the last kmsg_mark TEXT.
kmsg_since() {
	dmesg | tac | sed "/\] lab: $1\$/q" | tac
}

# kmsg_problems WHERE FILE: the numbered lines of FILE that are reports of
# kernel trouble and not expected of WHERE.
kmsg_problems() {
	local kind where regex allow

	allow=$(_kmsg_stock)
	if [ -e "${LAB_STATE:-}/kmsg.expect" ]; then
		while IFS=$'\t' read -r kind where regex; do
			[ "$where" = "$1" ] && allow+=${allow:+$'\n'}$regex
		done <"$LAB_STATE/kmsg.expect"
	fi
	if [ -n "$allow" ]; then
		grep -anE "$_KMSG_BAD" "$2" | grep -avEf <(echo "$allow")
	else
		grep -anE "$_KMSG_BAD" "$2"
	fi
}

# kmsg_missing WHERE FILE: what was expected in FILE and is not there.
kmsg_missing() {
	local kind where regex

	[ -e "$LAB_STATE/kmsg.expect" ] || return 0
	while IFS=$'\t' read -r kind where regex; do
		if [ "$kind" = must ] && [ "$where" = "$1" ] && ! grep -aqE "$regex" "$2"; then
			echo "$regex"
		fi
	done <"$LAB_STATE/kmsg.expect"
}

# kmsg_excerpt FILE LINE: what to show a person of a report at LINE.
kmsg_excerpt() {
	local from=$(($2 > 5 ? $2 - 5 : 1))

	sed -n "$from,$(($2 + 60))p" "$1" | tr -d '\r' | cut -c 1-300
}

# kmsg_verdict WHERE FILE: a failed test with an excerpt for trouble in FILE,
# nothing if there is none.
kmsg_verdict() {
	local problems missing status=0

	problems=$(kmsg_problems "$1" "$2")
	if [ -n "$problems" ]; then
		test_fail "kernel log of $1 is clean"
		diag "$(wc -l <<<"$problems") problem line(s); the first with what is around it:"
		kmsg_excerpt "$2" "${problems%%:*}" | diag
		status=1
	fi
	missing=$(kmsg_missing "$1" "$2")
	if [ -n "$missing" ]; then
		test_fail "kernel log of $1 has what is expected"
		diag "no line matches: $missing"
		status=1
	fi
	return $status
}

# kmemleak_report: scans twice (an object younger than five seconds is never
# reported) and puts what it found into the kernel log.  For kernels that
# have it; nothing elsewhere.
kmemleak_report() {
	local file=/sys/kernel/debug/kmemleak

	[ -w $file ] || return 0
	echo scan >$file
	sleep 5
	echo scan >$file
	if [ -s $file ] || [ -n "$(head -c 1 $file)" ]; then
		echo "<2>kmemleak: 1 new suspected memory leaks (or more):" >/dev/kmsg
		head -n 40 $file | while IFS= read -r line; do
			echo "<2>$line" >/dev/kmsg
		done
		echo clear >$file
	fi
}
