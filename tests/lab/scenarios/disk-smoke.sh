# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The first thing a user does with a disk: it is there, holds what was
# written, and goes away in good order.

TIMEOUT=180

in_guest() {
	local disk

	check "the drivers load" pvbus_guest_load pvblk || return
	disk=$(pvblk_disk root)
	check_equal "the disk has a name" /dev/pvda "$disk" || return
	check_equal "and its size" $((64 << 20)) "$(blockdev --getsize64 "$disk")"
	check_equal "and its serial number" S-1 "$(cat /sys/block/pvda/serial)"
	check "data go there" fio --name=v --filename="$disk" --rw=randrw \
		--ioengine=libaio --direct=1 --bs=4k --iodepth=8 --size=16m \
		--verify=crc32c --verify_fatal=1
	check "the drivers unload" lab_rmmod pvblk pvbus
}

host() {
	null_disk backing 64
	check "the host module loads" pvbus_host_load || return
	check "pvbusd starts" pvbusd_start vm1 \
		--disk id=root,path=/dev/backing,serial=S-1 || return
	check "a guest boots" pvbus_guest vm1 || return
	guest_tap vm1 in_guest
	check "the guest stops" guest_stop vm1
	check "and pvbusd with it" pvbusd_wait vm1
	check "the host module unloads" lab_rmmod pvbus_host
	null_disk_del backing
}
