# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Backing disks: memory-backed null_blk devices.

_NULLB=/sys/kernel/config/nullb

# null_disk NAME SIZE_MB [ATTRIBUTE=VALUE...]: creates /dev/NAME.
null_disk() {
	local name=$1 size=$2 dir=$_NULLB/$1 attribute

	shift 2
	if [ ! -d $_NULLB ]; then
		modprobe null_blk nr_devices=0 || return
	fi
	mkdir "$dir" || return
	for attribute in "size=$size" memory_backed=1 blocksize=512 irqmode=0 "$@"; do
		echo "${attribute#*=}" >"$dir/${attribute%%=*}" || return
	done
	echo 1 >"$dir/power" || return
	if [ ! -b "/dev/$name" ]; then
		echo "null_disk: no /dev/$name" >&2
		return 1
	fi
}

# null_disk_power_cycle NAME: a disk with cache_size=MB loses what was written
# to it and not flushed since; nobody may have it open.
null_disk_power_cycle() {
	echo 0 >"$_NULLB/$1/power" && echo 1 >"$_NULLB/$1/power" && [ -b "/dev/$1" ]
}

# null_disk_del NAME
null_disk_del() {
	rmdir "$_NULLB/$1"
}

# null_disk_del_all: what a scenario has left behind.
null_disk_del_all() {
	local dir status=0

	for dir in "$_NULLB"/*/; do
		[ -d "$dir" ] || continue
		rmdir "$dir" || status=1
	done
	return $status
}
