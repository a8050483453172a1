# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Several disks in one guest: read-only is kept, disks come and go, udev loads
# the driver by itself.

TIMEOUT=300

# The daemon starts with a read-only disk, which comes first.
in_guest() {
	check "udev runs" lab_udev
	check "the bus loads" lab_insmod pvbus || return
	check "the driver of disks is loaded by its alias" \
		modprobe_alias pvblk || return
	check_equal "a read-only disk says so" 1 "$(blockdev --getro /dev/pvda)"
	check_fails "and cannot be written" \
		dd if=/dev/zero of=/dev/pvda bs=4k count=1 oflag=direct
	check "but read" dd if=/dev/pvda of=/dev/null bs=64k count=16 iflag=direct
}

# The modules are not installed where modprobe looks, so this is what udev
# does, with the alias that the kernel sent: it must name our driver.
modprobe_alias() {
	local dev alias

	for dev in /sys/bus/pvbus/devices/*; do
		alias=$(cat "$dev/modalias")
		udevadm info -q property "$dev" | grep -q "MODALIAS=$alias" || return
		modinfo -F alias "$REPO/build/modules/$(uname -r)/$1.ko" |
			grep -qx "$alias" || return
	done
	lab_insmod "$1" && wait_for /dev/pvda
}

guest_second() {
	wait_for /dev/pvdb && dd if=/dev/urandom of=/dev/pvdb bs=64k count=16 oflag=direct
}

guest_gone() {
	local i

	for ((i = 0; i < 50; i++)); do
		[ -e /dev/pvdb ] || return 0
		sleep 0.1
	done
	return 1
}

# guest_devices NR: so many there are, in a moment.
guest_devices() {
	local i there

	for ((i = 0; i < 100; i++)); do
		there=$(find /sys/bus/pvbus/devices -mindepth 1 | wc -l)
		[ "$there" != "$1" ] || return 0
		sleep 0.1
	done
	echo "$there devices"
	return 1
}

# Twice what the guest's mailbox has room for.
come_and_go() {
	local i

	for ((i = 0; i < 32; i++)); do
		pvbusctl add-disk vm1 "id=brief$i,path=/dev/second" >/dev/null &&
			pvbusctl remove vm1 brief$i --timeout 0 || return
	done
}

# Messages fill the mailbox in pairs: one more, and the last of a pair has no room.
while_paused() {
	check "the guest is paused" guest_monitor vm1 stop
	[ "$1" = 0 ] || check "one message" pvbusctl resize vm1 cd
	check "disks come and go meanwhile" come_and_go
	check "it goes on" guest_monitor vm1 cont
	check "and has those that are there" guest vm1 guest_devices 1
}

host() {
	local job

	null_disk first 32
	null_disk second 32
	check "the host module loads" pvbus_host_load || return
	check "pvbusd starts" pvbusd_start vm1 \
		--disk id=cd,path=/dev/first,readonly || return
	check "a guest boots" pvbus_guest vm1 || return
	guest_tap vm1 in_guest
	check "a disk is added" pvbusctl add-disk vm1 id=data,path=/dev/second
	check "the guest uses it" guest vm1 guest_second
	check_equal "it is listed" '["cd","data"]' \
		"$(pvbusctl show vm1 --json | jq -c '[.devices[].id]')"
	guest_bg vm1 disk_load /dev/pvdb 120 && job=$GUEST_JOB
	check "the guest is busy with it" guest vm1 wait_io pvdb
	check "a disk is removed under I/O" pvbusctl remove vm1 data
	check "the guest has lost it" guest vm1 guest_gone
	check_fails "and its users an error" guest_wait vm1 "$job" 40
	while_paused 0
	while_paused 1
	check "what was removed can be added again" \
		pvbusctl add-disk vm1 id=data,path=/dev/second
	check "and used" guest vm1 guest_second
	check_fails "a name cannot be used twice" \
		pvbusctl add-disk vm1 id=data,path=/dev/first
	check "the guest stops" guest_stop vm1
	check "and pvbusd with it" pvbusd_wait vm1
}
