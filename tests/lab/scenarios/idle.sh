# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# A VM that does nothing costs the host nothing: its disks are held open, its card
# is up, and for ten seconds no worker polls, none uses 0.1 % of a CPU, and the
# guest's own threads for that do not run. So before any I/O, and after a burst of
# it, which has taught both sides to poll.

TIMEOUT=240

# Of the time looked at, what all workers may use: one in IDLE_SHARE.
IDLE_SHARE=1000
IDLE_SECONDS=10

guest_setup() {
	local card

	pvbus_guest_load pvblk pvnet || return
	pvblk_disk root && pvblk_disk still || return
	card=$(pvnet_card lan) || return
	# nobody else is to send anything
	ip link set "$card" addrgenmode none multicast off up
	ip addr add 192.0.2.2/24 dev "$card"
	ip neigh replace 192.0.2.1 lladdr 52:54:00:00:00:01 dev "$card" nud permanent
}

# As a file system would. Ends with the guest.
guest_hold() {
	exec 8</dev/pvda 9</dev/pvdb
	sleep 1000
}

guest_burst() {
	disk_load /dev/pvda 2 && disk_load /dev/pvdb 2 && ping -q -i 0.002 -c 500 192.0.2.1
}

# Times that the guest's threads which look for the host's answers have run.
guest_looked() {
	local pids

	mapfile -t pids < <(pgrep -f '^\[?pvbus-idle/')
	[ ${#pids[@]} -gt 0 ] && sched_sum 3 "${pids[@]}"
}

# snapshot NAME: into variables of that prefix.
snapshot() {
	local key

	for key in polls poll_ns wakeups completions; do
		printf -v "$1_$key" %s "$(worker_sum vm1 "" $key)"
	done
	# shellcheck disable=SC2046 # words
	printf -v "$1_ns" %s "$(sched_sum 1 $(worker_pids vm1))"
	printf -v "$1_us" %s "$(now_us)"
	printf -v "$1_looked" %s "$(guest vm1 guest_looked)"
}

# diff_of KEY: from snapshot a to snapshot b.
diff_of() {
	local a=a_$1 b=b_$1

	echo $((${!b} - ${!a}))
}

# idle WHEN
idle() {
	local used time

	# what is under way ends, udev and the page cache are done
	sleep 3
	snapshot a
	sleep $IDLE_SECONDS
	snapshot b
	used=$(diff_of ns) time=$(diff_of us)
	diag "$1: workers used $used ns in $time us, $(diff_of wakeups) wake-ups, guest looked $(diff_of looked) times"
	check_equal "$1: nothing to do" 0 "$(diff_of completions)"
	check_equal "$1: no worker polls" "0 times, 0 ns" "$(diff_of polls) times, $(diff_of poll_ns) ns"
	check_equal "$1: none is woken" 0 "$(diff_of wakeups)"
	check "$1: they use less than one $IDLE_SHARE th of a CPU" \
		test $((used * IDLE_SHARE)) -lt $((time * 1000))
	check_equal "$1: no CPU of the guest looks for anything" 0 "$(diff_of looked)"
}

host() {
	null_disk root 32
	null_disk still 32
	check "the host module loads" pvbus_host_load || return
	check "pvbusd starts" pvbusd_start vm1 --disk id=root,path=/dev/root \
		--disk id=still,path=/dev/still \
		--net id=lan,ifname=lan0,mac=52:54:00:00:00:02 || return
	ip link set lan0 address 52:54:00:00:00:01 addrgenmode none multicast off up
	ip addr add 192.0.2.1/24 dev lan0
	ip neigh replace 192.0.2.2 lladdr 52:54:00:00:00:02 dev lan0 nud permanent
	check "a guest boots" pvbus_guest vm1 || return
	check "its drivers load" guest vm1 guest_setup || return
	guest_bg vm1 guest_hold
	check_equal "each device has its worker" 3 "$(worker_pids vm1 | wc -l)"
	idle "at first"

	snapshot a
	check "a burst of I/O" guest vm1 guest_burst || return
	snapshot b
	check "for which the workers polled" test "$(diff_of polls)" -gt 0
	check "and the guest looked by itself" test "$(diff_of looked)" -gt 0
	idle "after it"

	check "the guest stops" guest_stop vm1
	check "and pvbusd with it" pvbusd_wait vm1
	check "the host module unloads" lab_rmmod pvbus_host
}
