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
	check "$1: a source tree is unpacked" \
		sh -c 'tar -C /usr/include -cf - linux | tar -C /mnt/t -xf -'
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

guest_raw_fsync() {
	dd if=/lab/random of=/dev/pvda bs=64k seek=16 conv=fsync,notrunc status=none
}

guest_fs_fsync() {
	mkfs.ext4 -q -F /dev/pvda && mount /dev/pvda /mnt/t &&
		dd if=/lab/random of=/mnt/t/record bs=4k conv=fsync status=none
}

# What the guest has fsynced is on the host's disk at that moment, and after
# QEMU was killed.
acknowledged() {
	dd if=/dev/urandom of="$(guest_share vm1)/random" bs=1M count=2 status=none
	check "the guest writes and fsyncs the disk" guest vm1 guest_raw_fsync
	check "what fsync acknowledged is on the backing disk" cmp \
		"$(guest_share vm1)/random" <(dd if=/dev/backing bs=64k skip=16 count=32 \
			iflag=direct status=none)
	check "the guest writes and fsyncs a file" guest vm1 guest_fs_fsync
	check "QEMU is killed" guest_kill vm1
	check "pvbusd ends" pvbusd_wait vm1
	mkdir -p /run/fs
	check "the host mounts the file system" mount /dev/backing /run/fs || return
	check "what fsync acknowledged is in it" cmp "$(guest_share vm1)/random" /run/fs/record
	umount /run/fs
	check "and it is clean" e2fsck -fn /dev/backing
}

host() {
	null_disk backing 512
	check "the host module loads" pvbus_host_load || return
	check "pvbusd starts" pvbusd_start vm1 --disk id=root,path=/dev/backing || return
	check "a guest boots" pvbus_guest vm1 || return
	guest_tap vm1 in_guest
	acknowledged
}
