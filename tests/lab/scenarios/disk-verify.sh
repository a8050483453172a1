# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What is read is what was written: every block size, buffers anywhere in a
# page, several depths, two CPUs at once, on a block device and on a raw file.

TIMEOUT=420
GUEST_TIMEOUT=200

# jobs DISK SIZE...: one job file, because starting fio costs more here than its
# I/O.
jobs() {
	local bs

	cat <<-END
	[global]
	filename=$1
	direct=1
	ioengine=libaio
	verify=crc32c
	verify_fatal=1
	verify_backlog=64
	iomem_align=512
	thread=1
	iodepth=16
	io_size=1m
	stonewall
	END
	for bs in "${@:2}"; do
		printf '[blocks-of-%s]\nrw=randwrite\nbs=%s\n' "$bs" "$bs"
	done
	cat <<-END
	[blocks-mixed]
	rw=randrw
	bsrange=512-1m
	blockalign=512
	iodepth=32
	io_size=16m
	[both-cpus]
	rw=randrw
	bsrange=512-64k
	blockalign=512
	numjobs=2
	size=50%
	offset_increment=50%
	cpus_allowed=0-1
	cpus_allowed_policy=split
	io_size=8m
	[flushes-between]
	rw=randwrite
	bs=4k
	sync=1
	fdatasync=8
	END
}

verified() {
	jobs "$@" >/run/jobs
	fio /run/jobs
}

in_guest() {
	check "the drivers load" pvbus_guest_load pvblk || return
	check_equal "it has a queue for each CPU" 2 \
		"$(find "/sys/block/$(basename "$(pvblk_disk block)")/mq" -mindepth 1 -maxdepth 1 | wc -l)"
	check "block device: blocks of 512 B to 1 MiB, buffers not page-aligned, flushes" \
		verified "$(pvblk_disk block)" 512 1k 1536 2k 4k 8k 12k 16k 32k 64k \
		128k 256k 512k 1m
	check "raw file: the same" verified "$(pvblk_disk file)" 512 4k 1m
	check "buffers of a vectored read at odd places" vectored "$(pvblk_disk block)"
}

# Through the page cache and past it, the same bytes.
vectored() {
	local direct cached

	direct=$(dd if="$1" bs=1M count=8 iflag=direct status=none | sha256sum)
	echo 3 >/proc/sys/vm/drop_caches
	cached=$(dd if="$1" bs=7k count=1170 status=none |
		cat - <(dd if="$1" bs=1 skip=$((7168 * 1170)) \
			count=$((8 * 1048576 - 7168 * 1170)) status=none) | sha256sum)
	[ "$direct" = "$cached" ]
}

file_store() {
	null_disk store 96 || return
	mkfs.ext4 -q /dev/store && mkdir -p /run/store && mount /dev/store /run/store &&
		truncate -s 48M /run/store/disk.img
}

host() {
	null_disk backing 64
	check "a file system for a raw file" file_store || return
	check "the host module loads" pvbus_host_load || return
	check "pvbusd starts" pvbusd_start vm1 --disk id=block,path=/dev/backing \
		--disk id=file,path=/run/store/disk.img || return
	check "a guest boots" pvbus_guest vm1 --smp 2 || return
	guest_tap vm1 in_guest
	check "the guest stops" guest_stop vm1
	check "and pvbusd with it" pvbusd_wait vm1
	check "nothing holds the file" umount /run/store
}
