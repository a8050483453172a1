# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Where the time of one request goes: guest and host trace the same load with the
# CPU's time stamp counter for their clock, and steps.py puts both together.
# Tracing costs time itself, so the sum is more than an untraced request takes.
#
#	RESULTS/LOAD/{guest.trace,host.trace,offset}	LOAD: read-qd1 read-qd32 tcp-rr
#
# offset: what the guest's counter is ahead of the host's; the host's trace begins
# and ends with a mark that has the time, which gives the counter's rate.

TIMEOUT=300
GUEST_TIMEOUT=60
TRACE_SECONDS=0.5

. "$REPO/tests/bench/load.sh"

_TRACING=/sys/kernel/tracing

# trace_setup SYSTEM...: before there is a worker, or a load: it changes code that
# they run, which an emulator may not bear.
trace_setup() {
	local system

	echo 0 >$_TRACING/tracing_on
	echo x86-tsc >$_TRACING/trace_clock
	echo 32768 >$_TRACING/buffer_size_kb
	for system; do
		echo 1 >"$_TRACING/events/$system/enable" || return
	done
}

trace_begin() {
	echo >$_TRACING/trace
	echo 1 >$_TRACING/tracing_on
	echo "begin $EPOCHREALTIME" >$_TRACING/trace_marker
}

# trace_end FILE
trace_end() {
	echo "end $EPOCHREALTIME" >$_TRACING/trace_marker
	echo 0 >$_TRACING/tracing_on
	cat $_TRACING/trace >"$1"
}

# In the guest, which goes on with its load meanwhile.
guest_traced() {
	trace_begin
	sleep $TRACE_SECONDS
	trace_end /lab/trace
}

# What KVM adds to the host's counter for a guest.
tsc_offset() {
	cat /sys/kernel/debug/kvm/"$(guest_pid bench)"-*/vcpu0/tsc-offset
}

traced() {
	local dir=$LAB_OUT/results/$1 status

	mkdir -p "$dir"
	bench_load "$1" 60 || return
	# what is learned in the beginning is part of it
	sleep 0.5
	trace_begin
	guest bench guest_traced
	status=$?
	trace_end "$dir/host.trace"
	bench_load_end || status=1
	tsc_offset >"$dir/offset"
	mv "$(guest_share bench)/trace" "$dir/guest.trace"
	mv "$(guest_share bench)/out" "$dir/tool"
	return $status
}

host() {
	local load

	check "the host is set up" bench_host_setup || return
	check "the host can trace" trace_setup pvbus_host || return
	check "the guest boots" pvbus_guest bench || return
	check "the guest is set up" guest bench bench_guest_setup || return
	check "the guest can trace" guest bench trace_setup pvblk pvbus pvnet || return
	for load in read-qd1 read-qd32 tcp-rr; do
		check "$load is traced" traced $load
	done
	check "the guest stops" guest_stop bench
}
