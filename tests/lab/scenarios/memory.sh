# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Guest memory on both sides of 4 GiB, and given back by a balloon under I/O; a
# guest that is paused under I/O; memory that QEMU unmaps; and a guest with two
# NUMA nodes, whose memory lies in two blocks.

TIMEOUT=300
GUEST_TIMEOUT=120

# Two nodes of the guest's own making, so that memory of either half can be had.
NODES="numa=fake=2"

guest_setup() {
	modprobe virtio_balloon
	pvbus_guest_load pvblk && pvblk_disk root && pvnet_guest lan 192.0.2.2 &&
		ping -c 1 -W 5 192.0.2.1
}

has_high_memory() {
	grep -q '^100000000-.*System RAM' /proc/iomem
}

# bound NODE: verified I/O from and to memory of that node.
bound() {
	fio --name=bound --filename=/dev/pvda --direct=1 --ioengine=libaio --thread=1 \
		--numa_mem_policy="bind:$1" --rw=randrw --bsrange=512-64k \
		--blockalign=512 --iodepth=16 --size=16m --io_size=16m \
		--verify=crc32c --verify_fatal=1 --verify_backlog=64
}

# verified SECONDS: for so long.
verified() {
	fio --name=verified --filename=/dev/pvda --direct=1 --ioengine=libaio \
		--thread=1 --rw=randrw --bs=4k --iodepth=16 --size=16m \
		--time_based --runtime="$1" --verify=crc32c --verify_fatal=1 \
		--verify_backlog=64
}

# From the page cache, whose pages come from all of the memory.
cached() {
	dd if=/dev/pvda of=/dev/null bs=1M
	sync && echo 3 >/proc/sys/vm/drop_caches
	dd if=/dev/pvda of=/dev/null bs=1M
}

# To the guest, which may take a while to listen.
tcp() {
	local i

	guest_bg vm1 iperf3 -s -1
	for ((i = 0; i < 10; i++)); do
		sleep 1
		iperf3 -c 192.0.2.2 -t 1 && return
	done
	return 1
}

# balloon_has MIB: is that what the guest has left?
balloon_has() {
	guest_monitor vm1 "info balloon" | grep "actual=$1\b"
}

# balloon_is MIB: until the guest has that much left.
balloon_is() {
	guest_monitor vm1 "balloon $1" >/dev/null && within 60 balloon_has "$1"
}

ballooned() {
	local job

	guest_bg vm1 verified 15
	job=$GUEST_JOB
	check "the guest is busy" guest vm1 wait_io pvda
	check "it gives memory back meanwhile" balloon_is 4864
	check "and gets it again" balloon_is 5120
	check "and once more" balloon_is 4864
	check "no I/O went wrong" guest_wait vm1 "$job"
	check "what is left is good for I/O" guest vm1 cached
	check "it gets all of it again" balloon_is 5120
	check "which is good for I/O" guest vm1 bound 0
	check "as is the other part" guest vm1 bound 1
	check "and for packets" tcp
}

paused() {
	local job

	guest_bg vm1 verified 5
	job=$GUEST_JOB
	check "the guest is busy" guest vm1 wait_io pvda
	check "it is paused" guest_monitor vm1 stop
	sleep 2
	check "and resumed" guest_monitor vm1 cont
	check "no I/O went wrong" guest_wait vm1 "$job"
	check "nor is the network" ping -c 2 -i 0.3 -W 5 192.0.2.2
}

# The hole for VGA's memory, of which there is RAM in QEMU that no guest sees.
VGA_HOLE=0xa0000

# QEMU unmaps what it has said is guest RAM, as it does when a guest brings it to
# free memory that was only taken for RAM. Whatever it maps there next is its own.
unmapped() {
	local hva

	hva=$(guest_monitor vm1 "gpa2hva 0" | tr -d '\r' | sed -n 's/.* is \(0x[0-9a-f]*\).*/\1/p')
	diag "guest RAM begins at $hva"
	check "QEMU unmaps some of the guest's memory" "$REPO/tests/lab/munmap.py" \
		"$(guest_pid vm1)" $((hva + VGA_HOLE)) 0x10000
	check "the host knows it" within 10 sh -c 'dmesg | grep "QEMU has unmapped guest RAM"'
	check "pvbusd, which cannot prove it anew, ends" pvbusd_wait vm1 20
	check_fails "the guest has no disk any more" guest vm1 dd if=/dev/pvda of=/dev/null \
		bs=4k count=1 iflag=direct
}

# The second node lies on both sides of 4 GiB.
nodes() {
	check "pvbusd starts for a guest with two nodes" pvbusd_start vm2 \
		--disk id=root,path=/dev/backing --net id=lan,ifname=lan1 || return
	ip addr add 192.0.2.1/24 dev lan1 && ip link set lan1 up
	check "it boots" pvbus_guest vm2 --mem 5G \
		-object memory-backend-ram,id=first,size=2G -numa node,memdev=first \
		-object memory-backend-ram,id=second,size=3G -numa node,memdev=second || return
	check "it has a disk and a network" guest vm2 guest_setup || return
	check "and two nodes" guest vm2 test -d /sys/devices/system/node/node1
	check "I/O with memory of the first" guest vm2 bound 0
	check "I/O with memory of the second" guest vm2 bound 1
	check "I/O with all of it" guest vm2 cached
	check "it reboots" guest_reboot vm2
	check "and is believed again" guest vm2 guest_setup
	check "the guest stops" guest_stop vm2
}

host() {
	null_disk backing 32
	# what 6.1 says of a node that it has made up
	kmsg_allow vm1 'WARNING: workqueue cpumask: online intersect > possible intersect'
	check "the host module loads" pvbus_host_load || return
	check "pvbusd starts" pvbusd_start vm1 --disk id=root,path=/dev/backing \
		--net id=lan,ifname=lan0 || return
	ip addr add 192.0.2.1/24 dev lan0 && ip link set lan0 up
	check "a guest with 5 GiB boots" pvbus_guest vm1 --mem 5G --append "$NODES" \
		-device virtio-balloon-pci || return
	check "it has a disk and a network" guest vm1 guest_setup || return
	check "some of its memory is above 4 GiB" guest vm1 has_high_memory
	check "I/O with memory of the first half" guest vm1 bound 0
	check "I/O with memory of the second" guest vm1 bound 1
	check "TCP to the guest" tcp
	ballooned
	paused
	unmapped
	check "the guest stops" guest_stop vm1
	ip link set lan0 down
	nodes
	check "the host module unloads" lab_rmmod pvbus_host
}
