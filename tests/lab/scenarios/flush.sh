# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Flushes, and writes with FUA, come to the device: dm-log-writes has a record in its
# log once a flush has followed it. And who hides his cache is found out.

TIMEOUT=180

RECORDS=$LAB_DIR/lib/records.pl

guest_setup() {
	pvbus_guest_load pvblk && pvblk_disk honest && pvblk_disk liar
}

# guest_records ID: until 100 of them are acknowledged.
guest_records() {
	local disk

	disk=$(pvblk_disk "$1") || return
	"$RECORDS" write "$disk" "/lab/$1.acks" &
	within 30 enough "/lab/$1.acks"
	kill $!
}

enough() {
	[ "$(wc -l <"$1")" -ge 100 ]
}

guest_fua() {
	dd if=/dev/zero of="$(pvblk_disk honest)" bs=4k count=50 oflag=direct,dsync
}

# logged NAME: a disk, with its log.
logged() {
	null_disk "$1-store" 32 && null_disk "$1-log" 256 &&
		dmsetup create --noudevsync "$1" --table \
			"0 $(blockdev --getsz "/dev/$1-store") log-writes /dev/$1-store /dev/$1-log" &&
		dmsetup mknodes "$1"
}

# log_of NAME [ACKS]: as it is now, which it says itself with the next mark, and not as
# it was read before.
log_of() {
	dmsetup message "$1" 0 mark look && sleep 0.5
	blockdev --flushbufs "/dev/$1-log"
	"$LAB_DIR/log_writes.py" "/dev/$1-log" "${@:2}"
}

flushed() {
	log_of "$1" "$(guest_share vm1)/$1.acks"
}

count_of() {
	log_of honest | sed -n "s/.*$1 \([0-9]*\).*/\1/p"
}

host() {
	local liar fua

	check "dm-log-writes is there" modprobe dm-log-writes || return
	check "a disk with a log" logged honest || return
	check "and another" logged liar || return
	liar=dm-$(dmsetup info -c --noheadings -o minor liar)
	echo "write through" >"/sys/block/$liar/queue/write_cache"
	check "the host module loads" pvbus_host_load || return
	check "pvbusd starts" pvbusd_start vm1 --disk id=honest,path=/dev/mapper/honest \
		--disk id=liar,path=/dev/mapper/liar || return
	check "a guest boots" pvbus_guest vm1 || return
	check "it has the disks" guest vm1 guest_setup || return
	check "records are acknowledged" guest vm1 guest_records honest
	check "all of them were flushed" flushed honest
	check "records on a disk that hides its cache" guest vm1 guest_records liar
	check_fails "were not" flushed liar
	fua=$(count_of fua)
	check "writes with FUA" guest vm1 guest_fua
	check "come as such" test $(($(count_of fua) - fua)) -ge 50
	check "the guest stops" guest_stop vm1
	check "pvbusd ends with it" pvbusd_wait vm1
	check "the disks are let go" dmsetup remove --noudevsync honest liar
}
