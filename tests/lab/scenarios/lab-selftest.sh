# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The lab itself: guests boot, do what they are told, and go.

TIMEOUT=240

guest_echo() {
	echo "out: $*"
	echo "err: $*" >&2
	return 3
}

guest_checks() {
	check "a check in the guest counts" true
	check "the guest's level is 2" test "$LAB_LEVEL" = 2
}

guest_skips() {
	skip "something" "to see it"
}

# Not among the results of this scenario.
skips_counted() {
	local _KTAP_COUNT=/tmp/count

	echo "0 0 0" >$_KTAP_COUNT
	guest_tap a guest_skips >/dev/null
	cat $_KTAP_COUNT
}

relayed() {
	local out

	out=$(guest a guest_echo 1 "two  words" $'new\nline' 2>&1)
	[ $? = 3 ] && [ "$out" = $'out: 1 two  words new\nline\nerr: 1 two  words new\nline' ]
}

parallel() {
	local first second

	guest_bg a sleep 1 && first=$GUEST_JOB
	guest_bg a sh -c 'exit 7' && second=$GUEST_JOB
	guest_wait a "$second"
	[ $? = 7 ] && guest_wait a "$first"
}

times_out() {
	local GUEST_TIMEOUT=1

	guest a sleep 100
	[ $? = 124 ] && guest a sh -c '! pidof sleep'
}

one_guest() {
	check "a guest boots" guest_start a || return
	check "its kernel is the one asked for" \
		test "$(guest a uname -r)" = "$(lab_kernel "$GUEST_KERNEL")"
	check "arguments, output and status are relayed" relayed
	check_fails "a command that fails, fails" guest a false
	check "two commands at a time" parallel
	check "a command out of time is ended" times_out
	guest_tap a guest_checks
	check_equal "a skip in the guest counts" "0 0 1" "$(skips_counted)"
	check "the share can be written in the guest" guest a sh -c 'echo hi >/lab/file'
	check "and read here" grep -qx hi "$(guest_share a)/file"
	check "KVM counts its exits" exits_snapshot a
	check "file systems are mounted" guest a sh -c \
		'mountpoint /sys/kernel/debug && mountpoint /sys/kernel/config &&
		mountpoint /sys/fs/cgroup && mountpoint /dev/shm'
}

reboots() {
	check "a guest reboots" guest_reboot a
	check "and answers" guest a true
	check "the monitor answers" guest_monitor a 'info status'
	check "a guest can be reset" guest_monitor a system_reset
	check "and comes back" guest_wait_up a
	check "and answers" guest a true
	check "a guest powers off" guest_stop a
	check_fails "then it is gone" guest_alive a
}

three_guests() {
	local name

	for name in b c d; do
		check "guest $name starts beside others" guest_start $name --no-wait --mem 512M
	done
	for name in b c d; do
		check "guest $name is up" guest_wait_up $name
	done
	check_equal "each is itself" "b c d" \
		"$(guest b hostname) $(guest c hostname) $(guest d hostname)"
	check "one can be killed" guest_kill c
	check "one can be stopped" guest_stop d
	check "the third one lives" guest b true
}

disks() {
	check "a memory-backed disk" null_disk labdisk 16
	check "it can be written" dd if=/dev/zero of=/dev/labdisk bs=1M count=16 oflag=direct
	check "and removed" null_disk_del labdisk
}

host() {
	disks
	one_guest
	reboots
	three_guests
}
