# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Host and guest in one kernel: the whole stack without a VM around it.

TIMEOUT=240
GUESTS=none

loop_start() {
	pvbus_host_load && lab_insmod pvbus && lab_insmod pvbus_loop &&
		lab_insmod pvblk && lab_insmod pvnet
}

in_netns() {
	ip netns exec guest "$@"
}

cards() {
	local card

	ip netns add guest
	card=$(pvnet_card lan)
	check "there is a card" test -n "$card" || return
	ip link set "$card" netns guest name lan
	in_netns ip link set lan up && in_netns ip addr add 192.0.2.2/24 dev lan
	ip link set lan0 up && ip addr add 192.0.2.1/24 dev lan0
	iperf3 -s -D --pidfile /run/iperf.pid
	check "the host end answers" in_netns ping -c 3 -i 0.2 -W 5 192.0.2.1
	check "a large ping" in_netns ping -c 2 -i 0.2 -W 5 -s 65507 192.0.2.1
	check "TCP to the host end" in_netns iperf3 -c 192.0.2.1 -t 2
	check "TCP from the host end" in_netns iperf3 -c 192.0.2.1 -t 2 -R
}

disks() {
	local disk bs

	disk=$(pvblk_disk root)
	check "there is a disk" test -b "$disk" || return
	for bs in 512 4k 64k 1m; do
		check "disk, blocks of $bs" fio --name=v --filename="$disk" --direct=1 \
			--ioengine=libaio --rw=randwrite --bs=$bs --iodepth=16 \
			--io_size=4m --verify=crc32c --verify_fatal=1
	done
	check "ext4 is made" mkfs.ext4 -q -F "$disk"
	check "and checked" e2fsck -fn "$disk"
}

host() {
	null_disk backing 64
	null_disk other 32
	check "all modules load" loop_start || return
	check "a loopback VM" pvbusd_start loop --loopback \
		--disk id=root,path=/dev/backing --net id=lan,ifname=lan0 || return
	disks
	cards
	check "a second one" pvbusd_start loop2 --loopback --disk id=b,path=/dev/other
	check "has a disk too" pvblk_disk b
	check "the second one ends" pvbusd_stop loop2
	check "the first one lives" dd if=/dev/pvda of=/dev/null bs=64k count=8 iflag=direct
	check "it ends" pvbusd_stop loop
	check "all modules unload" lab_unload_all
	ip netns del guest
}
