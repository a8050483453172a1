# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Drivers of emulated devices and of virtio work beside pvbus in the same
# guest, at the same time, and on two CPUs.

TIMEOUT=300

guest_setup() {
	modprobe -a virtio_blk virtio_net e1000 ata_piix sd_mod || return
	pvbus_guest_load pvblk pvnet || return
	pvblk_disk root && pvnet_card lan && wait_for /dev/vda && wait_for /dev/sda
}

guest_disks() {
	fio --ioengine=libaio --direct=1 --rw=randrw --bs=4k --iodepth=8 \
		--size=8m --io_size=4m --verify=crc32c --verify_fatal=1 \
		--name=pvblk --filename=/dev/pvda --name=virtio --filename=/dev/vda \
		--name=ide --filename=/dev/sda --io_size=1m
}

guest_cards() {
	local card driver n=0

	for card in /sys/class/net/*; do
		driver=$(readlink "$card/device/driver") || continue
		case $driver in
		*/pvnet) n=1 ;;
		*/virtio_net) n=2 ;;
		*/e1000) n=3 ;;
		*) continue ;;
		esac
		ip link set "${card##*/}" up
		ip addr add "198.18.$n.2/24" dev "${card##*/}"
	done
	for n in 1 2 3; do
		ping -c 20 -i 0.1 -W 5 "198.18.$n.1" &
	done
	wait -n && wait -n && wait -n
}

drive() {
	echo "-drive if=none,id=$1,file=/dev/$1,format=raw,cache=none,aio=native"
}

host() {
	local n=0 card

	for card in pd vd id; do
		null_disk $card 32
	done
	modprobe -a tun vhost_net
	check "the host module loads" pvbus_host_load || return
	check "pvbusd starts" pvbusd_start vm1 --disk id=root,path=/dev/pd \
		--net id=lan,ifname=pv0 || return
	for card in vn0 en0; do
		ip tuntap add $card mode tap
	done
	for card in pv0 vn0 en0; do
		n=$((n + 1))
		ip addr add 198.18.$n.1/24 dev $card
		ip link set $card up
	done
	# shellcheck disable=SC2046 # words
	check "a guest with all of them boots" pvbus_guest vm1 --smp 2 \
		$(drive vd) -device virtio-blk-pci,drive=vd \
		$(drive id) -device ide-hd,drive=id,bus=ide.0 \
		-netdev tap,id=vn0,ifname=vn0,script=no,downscript=no,vhost=on \
		-device virtio-net-pci,netdev=vn0 \
		-netdev tap,id=en0,ifname=en0,script=no,downscript=no \
		-device e1000,netdev=en0 || return
	check "their drivers load" guest vm1 guest_setup || return
	check "three disks at a time, verified" guest vm1 guest_disks
	check "three cards at a time" guest vm1 guest_cards
	iperf3 -s -D --pidfile /run/iperf.pid
	check "TCP in four streams to the host" guest vm1 iperf3 -c 198.18.1.1 -P 4 -t 2
	check "and from it" guest vm1 iperf3 -c 198.18.1.1 -P 4 -t 2 -R
	check_equal "pvbus has a queue for each CPU" "[2,2]" \
		"$(pvbusctl show vm1 --json | jq -c '[.devices[].open_queues]')"
	check "the guest stops" guest_stop vm1
	check "and pvbusd with it" pvbusd_wait vm1
	ip link del vn0
	ip link del en0
}
