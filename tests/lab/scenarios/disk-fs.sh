# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# File systems on a pvbus disk, and what fsync has promised.

TIMEOUT=420
GUEST_TIMEOUT=150

tree_hash() {
	(cd "$1" && find . -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum)
}

# fs_cycle FS: made, filled with a source tree, checked, read again.
fs_cycle() {
	local disk want got

	disk=$(pvblk_disk root)
	mkdir -p /mnt/t
	check "$1 is made" mkfs."$1" -q "${2:--F}" "$disk" || return
	check "$1 is mounted" mount "$disk" /mnt/t || return
	check "$1: a source tree is unpacked" tar -C /mnt/t -xf /lab/tree
	want=$(tree_hash /mnt/t)
	check "$1 is unmounted" umount /mnt/t
	echo 3 >/proc/sys/vm/drop_caches
	if [ "$1" = ext4 ]; then
		check "$1 is checked" e2fsck -fn "$disk"
	else
		check "$1 is checked" xfs_repair -n "$disk"
	fi
	mount "$disk" /mnt/t
	got=$(tree_hash /mnt/t)
	check_equal "$1: the tree is as it was" "$want" "$got"
	check_equal "and that was a tree" yes \
		"$([ "$(find /mnt/t -type f | wc -l)" -gt 300 ] && echo yes)"
	umount /mnt/t
}

in_guest() {
	check "the drivers load" pvbus_guest_load pvblk || return
	fs_cycle ext4 -F
	fs_cycle xfs -f
}

# record OFFSET-IN-64-KIB FLAGS: on the disks that have no file system.
record() {
	local disk

	for disk in plain file; do
		dd if=/lab/random of="$(pvblk_disk $disk)" bs=64k seek="$1" status=none \
			"${@:2}" || return
	done
}

fs_record() {
	local disk

	disk=$(pvblk_disk root)
	mkfs.ext4 -q -F "$disk" && mount "$disk" /mnt/t &&
		dd if=/lab/random of=/mnt/t/record bs=4k conv=fsync status=none
}

# store: the host's file system with the raw file. One that writes its
# journal when it is told to, and not every few seconds.
store() {
	mkdir -p /run/store && mount -o commit=900 /dev/store /run/store
}

# As when the power fails: the file system stops where it is, and disks lose
# what is in their caches.
power_fails() {
	local disk

	xfs_io -x -c shutdown /run/store && umount /run/store || return
	for disk in backing plain store; do
		null_disk_power_cycle $disk || return
	done
}

# holds FILE OFFSET-IN-64-KIB: what the guest has put there.
holds() {
	dd if="$1" bs=64k skip="$2" count=32 iflag=direct status=none |
		cmp "$(guest_share vm1)/random"
}

# What fsync has acknowledged to the guest survives QEMU, and then the power. So
# that it is known that something can be lost, something has to be.
acknowledged() {
	dd if=/dev/urandom of="$(guest_share vm1)/random" bs=1M count=2 status=none
	check "the guest writes and fsyncs disks" guest vm1 record 16 conv=fsync,notrunc
	check "what fsync acknowledged is on the backing disk" holds /dev/plain 16
	check "and in the backing file" holds /run/store/disk.img 16
	check "the guest writes and fsyncs a file" guest vm1 fs_record
	check "the guest writes, and does not fsync" guest vm1 record 128 oflag=direct
	check "QEMU is killed" guest_kill vm1
	check "pvbusd ends" pvbusd_wait vm1
	check "the power fails" power_fails || return
	check "the host mounts its file system" store || return
	check "what fsync acknowledged is on the backing disk" holds /dev/plain 16
	check "and in the backing file" holds /run/store/disk.img 16
	check_fails "what it did not is not on the disk" holds /dev/plain 128
	check_fails "nor in the file" holds /run/store/disk.img 128
	umount /run/store
	mkdir -p /run/fs
	check "the host mounts the guest's file system" mount /dev/backing /run/fs || return
	check "the guest's file is in it" cmp "$(guest_share vm1)/random" /run/fs/record
	umount /run/fs
	check "and it is clean" e2fsck -fn /dev/backing
}

host() {
	null_disk backing 512 cache_size=32
	null_disk plain 32 cache_size=16
	null_disk store 64 cache_size=16
	mkfs.ext4 -q /dev/store
	check "the host has a file system" store || return
	truncate -s 32M /run/store/disk.img
	sync
	check "the host module loads" pvbus_host_load || return
	check "pvbusd starts" pvbusd_start vm1 --disk id=root,path=/dev/backing \
		--disk id=plain,path=/dev/plain --disk id=file,path=/run/store/disk.img || return
	check "a guest boots" pvbus_guest vm1 || return
	# in one file: the guest takes long to open one of this machine
	tar -C /usr/include -cf "$(guest_share vm1)/tree" linux
	guest_tap vm1 in_guest
	acknowledged
}
