# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What is behind a disk fails and comes back, fills up, shrinks and grows while
# the guest uses it: the guest's programs get errors, and right data or none. And it
# does not answer: that holds up nothing else, and no end of anything.

TIMEOUT=300
GUEST_TIMEOUT=120

STORE=/run/store

guest_setup() {
	pvbus_guest_load pvblk && pvblk_disk flaky && pvblk_disk file
}

guest_both() {
	pvbus_guest_load pvblk && pvblk_disk flaky && pvnet_guest lan 192.0.2.2 &&
		ping -c 1 -W 5 192.0.2.1
}

# More than may be held, at once.
fill_up() {
	fio --name=fill --filename="$(pvblk_disk flaky)" --direct=1 --ioengine=libaio \
		--rw=write --bs=512k --iodepth=32 --size=16m
}

# verified ID [OPTION...]: 2 MiB of that disk, the first by default.
verified() {
	local disk

	disk=$(pvblk_disk "$1") || return
	shift
	fio --name=verified --filename="$disk" --direct=1 --ioengine=libaio \
		--rw=randwrite --bs=4k --iodepth=8 --size=2m --verify=crc32c \
		--verify_fatal=1 "$@"
}

# fill ID MB [BLOCK]: zeroes from there on, in blocks of 64 KiB; by default 4 MiB.
fill() {
	dd if=/dev/zero of="$(pvblk_disk "$1")" bs=64k seek="${3:-64}" count=$(($2 * 16)) \
		oflag=direct conv=notrunc
}

# read_at ID MB
read_at() {
	dd if="$(pvblk_disk "$1")" of=/run/block bs=64k skip=$(($2 * 16)) count=1 \
		iflag=direct && [ "$(stat -c %s /run/block)" = 65536 ]
}

zeroes() {
	read_at "$@" && cmp -n 65536 /run/block /dev/zero
}

busy() {
	local name

	name=$(pvblk_disk flaky) || return
	disk_load "$name" "$1"
}

# flaky_is TARGET: what the disk is made of: its own store, or errors.
flaky_is() {
	local table="0 65536 $1"

	[ "$1" = error ] || table+=" /dev/backing 0"
	dmsetup suspend --noflush flaky && dmsetup reload flaky --table "$table" &&
		dmsetup resume --noudevsync flaky
}

fails() {
	local job

	# behind what busy() writes
	check "verified I/O" guest vm1 verified flaky --offset=16m || return
	guest_bg vm1 busy 60
	job=$GUEST_JOB
	sleep 1
	check "its store fails under I/O" flaky_is error
	check_fails "programs in the guest get errors" guest_wait vm1 "$job"
	check_fails "and those that come later" guest vm1 read_at flaky 0
	check_equal "the host counts them" true \
		"$(pvbusctl stats vm1 --json | jq '[.channels[] | select(.id == "flaky") | .errors] | add > 0')"
	check "the other disk works" guest vm1 verified file
	check "the store is back" flaky_is linear
	check "and so is the disk, with what was there" \
		guest vm1 verified flaky --offset=16m --verify_only
	check "it can be written" guest vm1 verified flaky
}

fills_up() {
	fallocate -l $((22 << 20)) $STORE/filler
	check_fails "the guest writes more than there is room for" guest vm1 fill file 32
	check "what was written before is there" guest vm1 verified file --verify_only
	rm $STORE/filler
	check "there is room again" guest vm1 fill file 16
	check "what was written before is still there" \
		guest vm1 verified file --verify_only
}

shrinks() {
	truncate -s 16M $STORE/disk.img
	check_fails "behind its end there is nothing" guest vm1 read_at file 32
	check_fails "of which a part is not there, neither" guest vm1 read_at file 16
	check "before it is what was" guest vm1 verified file --verify_only
	truncate -s 64M $STORE/disk.img
	check "it has grown again" guest vm1 zeroes file 32
}

# has ID MB: is that the size of the disk? The guest hears of it in a moment.
has() {
	local i disk

	disk=$(pvblk_disk "$1") || return
	for ((i = 0; i < 50; i++)); do
		[ "$(blockdev --getsize64 "$disk")" != $(($2 << 20)) ] || return 0
		sleep 0.1
	done
	echo "$disk has $(blockdev --getsize64 "$disk") bytes"
	return 1
}

# told MB: the guest is told of that size, and so is who asked for it.
told() {
	pvbusctl resize vm1 file >/run/out && grep -E "^file .* size=$1M " /run/out
}

resizes() {
	truncate -s 80M $STORE/disk.img
	check "the guest is told of more" told 80
	check "and has it" guest vm1 has file 80
	check "and uses it" guest vm1 fill file 8 1152
	truncate -s 64M $STORE/disk.img
	check "the guest is told of less" told 64
	check "and has that" guest vm1 has file 64
	check "with what was there" guest vm1 verified file --verify_only
	truncate -s $((64 * 1048576 + 1)) $STORE/disk.img
	check_fails "half a sector is refused" pvbusctl resize vm1 file
	check "and the disk is as it was" guest vm1 has file 64
	check_fails "as is a disk that does not exist" pvbusctl resize vm1 none
	check "the disk in a block device has not changed" pvbusctl resize vm1 flaky
	check "and works" guest vm1 verified flaky
}

# At most this long waits who wants to be rid of something, in seconds.
BOUND=15

quick() {
	timeout -k 1 $((BOUND * LAB_TIME_SCALE)) "$@"
}

stalled() {
	[ "$(awk '{ print $9 }' "/sys/block/$(pvblk_disk flaky | cut -d / -f 3)/stat")" -gt 0 ]
}

not_removed() {
	! quick pvbusctl remove vm1 flaky --timeout 1 2>/run/err &&
		grep "flaky.*does not answer" /run/err
}

vm_starts() {
	check "pvbusd starts" pvbusd_start vm1 --disk id=flaky,path=/dev/mapper/flaky \
		--disk id=file,path=$STORE/disk.img || return
	check "a guest boots" pvbus_guest vm1 || return
	check "it has both disks" guest vm1 guest_setup
}

# The store does not answer any more.
stalls() {
	check "the file has whole sectors" truncate -s 64M $STORE/disk.img || return
	vm_starts || return
	check "the store stalls" dmsetup suspend --noflush flaky || return
	guest_bg vm1 read_at flaky 0
	check "the guest waits for it" guest vm1 within 10 stalled
	check "the disk is removed, which does not end" not_removed
	check "the other disk works" guest vm1 verified file
	check "a disk is added meanwhile" quick pvbusctl add-disk vm1 "id=more,path=$STORE/more.img"
	check "and used" guest vm1 verified more
	check "and removed" quick pvbusctl remove vm1 more
	check_fails "the id of the one that stalls is not free" \
		quick pvbusctl add-disk vm1 "id=flaky,path=$STORE/more.img"
	check "pvbusd is killed" pvbusd_kill vm1
	check "the guest goes on" guest vm1 verified file --verify_only
	check "the next one takes over" pvbusd_start vm1 --disk id=file,path=$STORE/disk.img
	check "which knows the other disk only" test \
		"$(pvbusctl show vm1 --json | jq -c '[.devices[].id]')" = '["file"]'
	check "QEMU is killed" guest_kill vm1
	check "pvbusd ends" pvbusd_wait vm1 $((BOUND * LAB_TIME_SCALE))
	check "and says what is left" grep "has not ended yet: a disk" <(pvbusd_log vm1)
	check_fails "its name is not free" pvbusd_start vm1 --disk id=file,path=$STORE/disk.img
	check_fails "the module is in use" rmmod pvbus_host
	check "the store answers" dmsetup resume --noudevsync flaky
	check "and all is gone" within 10 lab_rmmod pvbus_host
}

at_limit() {
	[ "$(pvbusctl show vm1 --json | jq .vm.pinned)" -gt $((7 << 20)) ]
}

# The store does not answer, and what it holds is all that the VM may have held: who
# sends packets to the guest does not wait for room, of which there is none.
starves() {
	local sent waited

	check "pvbusd starts with little room" pvbusd_start vm1 --pin-limit 8M \
		--disk id=flaky,path=/dev/mapper/flaky --net id=lan,ifname=vm1lan || return
	ip addr add 192.0.2.1/24 dev vm1lan && ip link set vm1lan up
	check "a guest boots" pvbus_guest vm1 || return
	check "it has the disk and a card" guest vm1 guest_both || return
	check "the store stalls" dmsetup suspend --noflush flaky || return
	guest_bg vm1 fill_up
	check "all that may be held is" within 20 at_limit
	ip neigh replace 192.0.2.2 lladdr "$(guest vm1 cat /sys/class/net/lan/address)" \
		dev vm1lan nud permanent
	read -r sent waited < <("$LAB_DIR/send.py" 192.0.2.2 4)
	diag "$sent packets were sent to a guest without room for them, $waited waits"
	check "who sends to it does not wait" test "$waited" -le 3
	check "and sends more than its buffer holds" test "$sent" -gt 500
	check "the store answers" dmsetup resume --noudevsync flaky
	check "packets are taken again" within 20 ping -c 1 -W 1 192.0.2.2
	check "the guest stops" guest_stop vm1
	check "and pvbusd with it" pvbusd_wait vm1
}

store() {
	mkfs.ext4 -q /dev/small && mkdir -p $STORE && mount /dev/small $STORE &&
		truncate -s 64M $STORE/disk.img && truncate -s 4M $STORE/more.img
}

host() {
	null_disk backing 32
	null_disk small 48
	modprobe dm-mod
	check "a disk that can be made to fail" \
		dmsetup create --noudevsync flaky --table "0 65536 linear /dev/backing 0" || return
	# what udev would do
	dmsetup mknodes flaky
	check "a raw file that is larger than its store" store || return
	check "the host module loads" pvbus_host_load || return
	vm_starts || return
	fails
	fills_up
	shrinks
	resizes
	check "the guest stops" guest_stop vm1
	check "and pvbusd with it" pvbusd_wait vm1
	starves
	stalls
	check "nothing holds the file" umount $STORE
	check "nor the disk" dmsetup remove --noudevsync flaky
}
