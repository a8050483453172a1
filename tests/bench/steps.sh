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
TRACE_SECONDS=1

_TRACING=/sys/kernel/tracing

# trace_begin SYSTEM...: counts from here on.
trace_begin() {
	local system

	echo 0 >$_TRACING/tracing_on
	echo x86-tsc >$_TRACING/trace_clock
	echo 16384 >$_TRACING/buffer_size_kb
	for system; do
		echo 1 >"$_TRACING/events/$system/enable"
	done
	echo 1 >$_TRACING/tracing_on
	echo "begin $EPOCHREALTIME" >$_TRACING/trace_marker
}

# trace_end FILE
trace_end() {
	echo "end $EPOCHREALTIME" >$_TRACING/trace_marker
	echo 0 >$_TRACING/tracing_on
	cat $_TRACING/trace >"$1"
	echo 0 >$_TRACING/events/enable
}

guest_setup() {
	pvbus_guest_load pvblk pvnet || return
	pvblk_disk disk >/run/disk || return
	local card

	card=$(pvnet_card lan) && ip link set "$card" up &&
		ip addr add 198.18.1.2/24 dev "$card"
}

# guest_load LOAD SECONDS
guest_load() {
	case $1 in
	read-qd*)
		fio --name=run --filename="$(</run/disk)" --direct=1 \
			--ioengine=libaio --thread --norandommap --rw=randread \
			--bs=4k --iodepth="${1#read-qd}" --time_based \
			--runtime="$2"
		;;
	tcp-rr) sockperf ping-pong --tcp -i 198.18.1.1 -m 64 -t "$2" --full-rtt ;;
	esac
}

# guest_traced LOAD: what has been learned when the load has run for a while is
# part of it, the time until then is not.
guest_traced() {
	guest_load "$1" $((TRACE_SECONDS + 4)) >/lab/tool 2>&1 &
	sleep 3
	trace_begin pvblk pvbus pvnet
	sleep $TRACE_SECONDS
	trace_end /lab/trace
	wait $!
}

# What KVM adds to the host's counter for a guest.
tsc_offset() {
	cat /sys/kernel/debug/kvm/"$(guest_pid steps)"-*/vcpu0/tsc-offset
}

traced() {
	local dir=$LAB_OUT/results/$1 status

	mkdir -p "$dir"
	trace_begin pvbus_host
	guest steps guest_traced "$1"
	status=$?
	trace_end "$dir/host.trace"
	tsc_offset >"$dir/offset"
	mv "$(guest_share steps)/trace" "$dir/guest.trace" &&
		mv "$(guest_share steps)/tool" "$dir/tool"
	return $status
}

host() {
	local load

	check "the host is set up" host_setup || return
	check "the guest boots" pvbus_guest steps || return
	check "the guest is set up" guest steps guest_setup || return
	for load in read-qd1 read-qd32 tcp-rr; do
		check "$load is traced" traced $load
	done
	check "the guest stops" guest_stop steps
}

host_setup() {
	null_disk backing 256 || return
	dd if=/dev/zero of=/dev/backing bs=1M oflag=direct status=none
	pvbus_host_load || return
	pvbusd_start steps --disk id=disk,path=/dev/backing \
		--net id=lan,ifname=pv0 || return
	ip addr add 198.18.1.1/24 dev pv0 && ip link set pv0 up || return
	sockperf server --tcp -i 0.0.0.0 >/dev/null 2>&1 &
}
