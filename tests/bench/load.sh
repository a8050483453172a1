# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What steps.sh and techniques.sh have in common: a VM "bench" with a disk and a
# card of pvbus, and loads on them: read-qdN, write-qdN (4k, at random), tcp-rr.

# --- in the host VM ---

bench_host_setup() {
	null_disk backing 256 || return
	dd if=/dev/zero of=/dev/backing bs=1M oflag=direct status=none
	pvbus_host_load || return
	pvbusd_start bench --disk id=disk,path=/dev/backing \
		--net id=lan,ifname=pv0 || return
	ip addr add 198.18.1.1/24 dev pv0 && ip link set pv0 up || return
	sockperf server --tcp -i 0.0.0.0 >/dev/null 2>&1 &
}

# Operations that were served: requests of the backing disk, packets of the card.
bench_served() {
	local -a disk
	local packets

	read -r -a disk </sys/block/backing/stat
	packets=$(</sys/class/net/pv0/statistics/rx_packets)
	echo $((disk[0] + disk[4] + packets))
}

# bench_load LOAD SECONDS: starts it in the guest, for at most that long, and waits
# until it is under way; bench_load_end ends it, and fails if it had ended before.
bench_load() {
	local before i

	before=$(bench_served)
	guest_bg bench bench_guest_load "$1" "$2" || return
	for ((i = 0; i < 300; i++)); do
		[ $(($(bench_served) - before)) -lt 300 ] || return 0
		sleep 0.1
	done
	echo "$1 has not begun"
	return 1
}

bench_load_end() {
	local status=0

	if ! guest bench pkill 'fio|sockperf'; then
		echo "the load has ended by itself:"
		cat "$(guest_share bench)/out"
		guest bench dmesg | tail
		status=1
	fi
	# its status is that of a program that was killed
	guest_wait bench "$GUEST_JOB" >/dev/null
	return $status
}

# --- in the guest ---

bench_guest_setup() {
	local card

	pvbus_guest_load pvblk pvnet || return
	pvblk_disk disk >/run/disk || return
	card=$(pvnet_card lan) || return
	ip link set "$card" up && ip addr add 198.18.1.2/24 dev "$card"
}

bench_guest_load() {
	case $1 in
	*-qd*)
		exec fio --name=run --filename="$(</run/disk)" --direct=1 \
			--ioengine=libaio --thread --norandommap \
			--rw="rand${1%-qd*}" --bs=4k --iodepth="${1#*-qd}" \
			--time_based --runtime="$2"
		;;
	# more of them in a second than there can be: it has room for each
	tcp-rr)
		exec sockperf ping-pong --tcp -i 198.18.1.1 -m 64 -t "$2" \
			--mps 50000
		;;
	esac >/lab/out 2>&1
}
