# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# A disk that is saturated does not take from another what that is to have: the
# other's reads of 4k, one at a time, go on at half their rate at least, be it
# another VM's disk or another disk of the same VM.
#
# The host VM has two CPUs, so what shares a CPU is said here and not left to the
# scheduler: on the first the saturated disk's worker and the vCPU that reads from it,
# which is another VM's in the first part and the same VM's other one in the second;
# on the second the quiet disk's worker and its reader. That is the free core of the rule.
# Eight reads of 1 MiB at a time from a disk in memory keep a worker busy without
# end. Alone and beside that load take turns of two seconds; each pair gives a ratio,
# the median counts. So a machine that is busy with other things slows both, and once
# in a while spoils a pair.
#
# This shows what pvbus itself makes disks share: a lock, a thread, a queue of work,
# a budget. It says nothing about a store that both use, about the host's scheduler,
# which would have to find the free core, nor about a host without one.
#
# The last part puts both workers on the first CPU. Nothing can make that as good as a free
# core, but the quiet one must not wait for all that the other one has been asked
# for, 8 MiB: how long it waits for the CPU is compared with how long the other takes
# for 1 MiB, the bound of a turn. Both are counted by the scheduler in the same seconds.
# On that CPU is the busy reader's vCPU, too, so the wait is half a turn to one (0.5 to
# 1.1 measured, and 1.5 to 3.6 where turns had no bound): more than two is not due to it.

TIMEOUT=300

PAIRS=3
PAIR_SECONDS=2
# CPUs of the host VM
FIRST=${LAB_FIRST_CPU:-0} SECOND=$((FIRST + 1))

guest_setup() {
	pvbus_guest_load pvblk
}

# guest_read ID SIZE NUMBER CPU: so many readers, on that CPU, of a disk that is too
# large to get to its end; stopped to begin with, they end with the guest.
guest_read() {
	local disk i

	disk=$(pvblk_disk "$1") || return
	for ((i = 0; i < $3; i++)); do
		taskset -c "$4" dd if="$disk" of=/dev/null bs="$2" iflag=direct skip=$((i << 10)) &
		kill -STOP $!
		echo $! >>"/run/readers.$1"
	done
	wait
}

# guest_signal ID SIGNAL: to its readers.
guest_signal() {
	local pids

	mapfile -t pids <"/run/readers.$1" && kill "-$2" "${pids[@]}"
}

# pin VM ID CPU: the workers of a disk.
pin() {
	local pid

	for pid in $(worker_pids "$1" "$2"); do
		taskset -p -c "$3" "$pid" || return
	done
}

# pin_vcpus VM: one to each CPU, all else that QEMU does to the second.
pin_vcpus() {
	local thread cpu=$FIRST

	taskset -a -p -c "$SECOND" "$(guest_pid "$1")" || return
	for thread in $(guest_qmp "$1" '{"execute":"query-cpus-fast"}' |
		jq -r '.return[] | ."thread-id"'); do
		taskset -p -c "$cpu" "$thread" || return
		cpu=$((cpu + 1))
	done
	[ "$cpu" = $((SECOND + 1)) ]
}

# rate VM: requests of the quiet disk in PAIR_SECONDS, from now on.
rate() {
	local before after

	# what went before is over
	sleep 0.5
	before=$(worker_sum "$1" quiet completions)
	sleep $PAIR_SECONDS
	after=$(worker_sum "$1" quiet completions)
	echo $((after - before))
}

# ratio VM BUSY-VM: the median of PAIRS, beside the busy disk in per cent of alone.
ratio() {
	local i alone beside ratios=()

	for ((i = 0; i < PAIRS; i++)); do
		guest "$2" guest_signal busy STOP || return
		alone=$(rate "$1")
		guest "$2" guest_signal busy CONT || return
		beside=$(rate "$1")
		[ "$alone" -gt 0 ] || return
		ratios+=($((100 * beside / alone)))
		echo "alone $alone, beside $beside: ${ratios[i]} %" >&2
	done
	guest "$2" guest_signal busy STOP || return
	printf '%s\n' "${ratios[@]}" | sort -n | sed -n $((PAIRS / 2 + 1))p
}

# at_least_half WHAT VM BUSY-VM
at_least_half() {
	local median busy

	busy=$(worker_sum "$3" busy bytes_out)
	median=$(ratio "$2" "$3" 2>/run/pairs)
	diag </run/pairs
	busy=$(($(worker_sum "$3" busy bytes_out) - busy >> 20))
	diag "$1: $median %, with $busy MiB read from the busy disk"
	check "$1: the busy disk was busy" test $busy -gt $((PAIRS * PAIR_SECONDS * 8))
	check "$1: the quiet disk has half its rate" test "${median:-0}" -ge 50
}

# What the quiet disk's worker waits each time it is to run on the busy one's CPU.
shared_cpu() {
	local quiet busy wait runs took mib

	mapfile -t quiet < <(worker_pids quiet quiet)
	mapfile -t busy < <(worker_pids quiet busy)
	check "both workers share a CPU" pin quiet quiet "$FIRST" || return
	guest quiet guest_signal busy CONT
	sleep 0.5
	wait=$(sched_sum 2 "${quiet[@]}") runs=$(sched_sum 3 "${quiet[@]}")
	took=$(sched_sum 1 "${busy[@]}") mib=$(worker_sum quiet busy bytes_out)
	sleep 5
	wait=$(($(sched_sum 2 "${quiet[@]}") - wait))
	runs=$(($(sched_sum 3 "${quiet[@]}") - runs))
	took=$(($(sched_sum 1 "${busy[@]}") - took))
	mib=$(($(worker_sum quiet busy bytes_out) - mib >> 20))
	guest quiet guest_signal busy STOP
	check "both have work" test $runs -gt 100 -a $mib -gt 100 || return
	diag "the quiet worker waits $((wait / runs / 1000)) us for the CPU, the busy one takes $((took / mib / 1000)) us for 1 MiB"
	check "it does not wait for all that the other has to do" \
		test $((wait / runs)) -lt $((2 * took / mib))
}

host() {
	local disk

	# 1 TiB, of which nothing was ever written
	for disk in quiet busy1 busy2; do
		null_disk $disk 1048576
	done
	check "the host module loads" pvbus_host_load || return
	check "pvbusd starts" pvbusd_start busy --disk id=busy,path=/dev/busy1 || return
	check "and another" pvbusd_start quiet --disk id=quiet,path=/dev/quiet \
		--disk id=busy,path=/dev/busy2 || return
	check "a guest boots" pvbus_guest busy || return
	check "and another, with two CPUs" pvbus_guest quiet --smp 2 || return
	check "a driver loads" guest busy guest_setup || return
	check "and another" guest quiet guest_setup || return
	guest_bg busy guest_read busy 1M 8 0
	guest_bg quiet guest_read busy 1M 8 0
	guest_bg quiet guest_read quiet 4k 1 1
	sleep 2
	check "the busy VM is on one CPU" taskset -a -p -c "$FIRST" "$(guest_pid busy)" || return
	check "and so is its worker" pin busy busy "$FIRST" || return
	check "the quiet one's readers are on two" pin_vcpus quiet || return
	check "its workers with them" pin quiet busy "$FIRST" || return
	check "each with its own" pin quiet quiet "$SECOND" || return
	check "the quiet reader runs" guest quiet guest_signal quiet CONT || return

	at_least_half "beside another VM" quiet busy
	at_least_half "beside a disk of the same VM" quiet quiet
	shared_cpu

	check "a guest stops" guest_stop busy
	check "and the other" guest_stop quiet
}
