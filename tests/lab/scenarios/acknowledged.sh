# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Nothing that fsync has acknowledged is lost, whatever ends in the middle: QEMU, the
# guest, the daemon, or the power of the host. ROUNDS: how often each of them.

TIMEOUT=420
ROUNDS=${ROUNDS:-2}
RECORDS=$LAB_DIR/lib/records.pl

# --- in the guest ---

# Records on a disk, and in a file of a file system on another.
records_begin() {
	local disk

	pvbus_guest_load pvblk || return
	disk=$(pvblk_disk fs) && mkdir -p /mnt/t && mount "$disk" /mnt/t || return
	[ -e /mnt/t/records ] || truncate -s 17M /mnt/t/records || return
	disk=$(pvblk_disk raw) || return
	setsid "$RECORDS" write "$disk" /lab/raw.acks </dev/null >/run/raw.log 2>&1 &
	setsid "$RECORDS" write /mnt/t/records /lab/fs.acks </dev/null >/run/fs.log 2>&1 &
}

# --- in the host ---

# Disks with nothing on them, for each crash: what null_blk has flushed once it writes
# past its cache from then on, so only what it had not can be lost. The caches are as
# large as the disks, as it writes back what does not fit. Of the journal, mkfs would
# have written all.
new_disks() {
	null_disk_del_all && rm -f "$(guest_share vm1)"/*.acks || return
	null_disk raw 32 cache_size=32 && null_disk fs 64 cache_size=64 &&
		mkfs.ext4 -q -F -E lazy_journal_init=1 /dev/fs
}

serve() {
	pvbusd_start vm1 --disk id=raw,path=/dev/raw --disk id=fs,path=/dev/fs
}

acks() {
	touch "$(guest_share vm1)/$1.acks" && wc -l <"$(guest_share vm1)/$1.acks"
}

# writes WHICH: until 20 more records have been acknowledged.
writes() {
	local i before

	before=$(acks "$1")
	for ((i = 0; i < 300; i++)); do
		[ $(($(acks "$1") - before)) -lt 20 ] || return 0
		sleep 0.1
	done
	echo "$(acks "$1") records of $1 are acknowledged, $before were before"
	return 1
}

# Until both writers are at work, and then a while that is another each time.
some_time() {
	check "records are acknowledged" writes raw
	check "and in the file system" writes fs
	sleep "$((RANDOM % 2)).$((RANDOM % 10))"
}

verify() {
	"$RECORDS" verify "$1" "$(guest_share vm1)/$2.acks"
}

# The file system is mounted, which is what a guest would do after a crash, and is
# clean after that.
verify_fs() {
	local status

	mkdir -p /run/fs && mount /dev/fs /run/fs || return
	verify /run/fs/records fs
	status=$?
	umount /run/fs && e2fsck -fn /dev/fs && return $status
}

nothing_is_lost() {
	check "no acknowledged record is lost" verify /dev/raw raw
	check "nor in the file system, which is clean" verify_fs
}

power_fails() {
	null_disk_power_cycle raw && null_disk_power_cycle fs
}

# QEMU is gone at one stroke, and the power of the host with it.
all_ends() {
	check "QEMU is killed" guest_kill vm1
	check "pvbusd ends" pvbusd_wait vm1
	check "the power fails" power_fails
}

boot() {
	check "pvbusd starts" serve || return
	check "a guest boots" pvbus_guest vm1 || return
	check "it writes records" guest vm1 records_begin
}

qemu_is_killed() {
	check "there are disks, and a file system" new_disks || return
	boot || return
	some_time
	all_ends
	nothing_is_lost
}

# The guest loses its memory, the host goes on; then the daemon, and the guest goes on.
guest_is_reset() {
	check "there are disks, and a file system" new_disks || return
	boot || return
	some_time
	check "the guest is reset" guest_monitor vm1 system_reset
	check "it comes back" guest_wait_up vm1 || return
	check "and goes on writing" guest vm1 records_begin
	some_time
	check "pvbusd is killed" pvbusd_kill vm1
	check "records are acknowledged" writes raw
	check "pvbusd starts again" serve
	some_time
	all_ends
	nothing_is_lost
}

# A disk that says that it has no cache, and has one: if this is not found out, nothing
# would be.
disk_lies() {
	check "there are disks, and a file system" new_disks || return
	echo "write through" >/sys/block/raw/queue/write_cache
	boot || return
	some_time
	all_ends
	check_fails "acknowledged records are lost" verify /dev/raw raw
	check "but not of the disk that does not lie" verify_fs
}

host() {
	local i

	check "the host module loads" pvbus_host_load || return
	for ((i = 0; i < ROUNDS; i++)); do
		qemu_is_killed
		guest_is_reset
	done
	disk_lies
}
