# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Backing disks, which are memory-backed null_blk devices; load for any disk.

_NULLB=/sys/kernel/config/nullb

# disk_load DISK SECONDS: four readers and four writers. Programs that do it better
# take many seconds to start in a guest, and some do not mind a disk that is gone, or
# that another has its name: that is an error, too.
disk_load() {
	local i status=0 pids=()

	for i in {0..7}; do
		_disk_load_one "$1" "$i" $((SECONDS + $2)) &
		pids+=($!)
	done
	for i in "${pids[@]}"; do
		wait "$i" || status=1
	done
	return $status
}

# _disk_load_one DISK NUMBER END: even numbers read, odd ones write.
_disk_load_one() {
	local args=("if=$1" of=/dev/null iflag=direct "skip=$(($2 * 256))")
	local seq now

	read -r seq <"/sys/block/${1##*/}/diskseq" || return
	[ $(($2 % 2)) = 0 ] ||
		args=(if=/dev/zero "of=$1" oflag=direct "conv=nocreat,notrunc" "seek=$(($2 * 256))")
	while [ $SECONDS -lt "$3" ]; do
		dd bs=4k count=256 status=none "${args[@]}" || return
		read -r now <"/sys/block/${1##*/}/diskseq" && [ "$now" = "$seq" ] || return
	done
}

# wait_io NAME: until that disk has finished 50 more requests.
wait_io() {
	local i now first='' field

	for ((i = 0; i < 200; i++)); do
		read -ra field <"/sys/block/$1/stat" || return
		now=$((field[0] + field[4]))
		[ $((now - ${first:=$now})) -lt 50 ] || return 0
		sleep 0.1
	done
	echo "no I/O on $1"
	return 1
}

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
# to it and not flushed since, where nothing had been flushed before; nobody may have
# it open.
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
