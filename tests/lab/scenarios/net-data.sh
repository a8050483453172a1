# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What goes through a card arrives as it was: both ways, IPv4 and IPv6, small
# and large packets, with and without the offloads. And a bulk of data is taken in
# turns that are bounded, so that its sender can go on meanwhile.

TIMEOUT=420
GUEST_TIMEOUT=120

SIZE_MB=256

# Bytes of packets that end a turn (PVH_NET_TURN_BYTES), and of the largest packet.
TURN=262144 PACKET=65550
TURNS=/sys/kernel/tracing/instances/turns

guest_setup() {
	pvnet_guest lan 192.0.2.2 && ip addr add 2001:db8::2/64 dev lan nodad &&
		ping -c 1 -W 5 192.0.2.1
}

# Random bytes are costly to make under emulation: a few, many times over, each
# time behind another number.
make_file() {
	local i

	for ((i = 0; i < SIZE_MB / 16; i++)); do
		printf 'part %11d' $i
		cat "$1"
	done >/run/file
}

guest_file() {
	cp /lab/part /run/part && make_file /run/part
}

# receive PORT FAMILY: prints the hash of what comes.
receive() {
	socat -b 262144 -u "TCP$2-LISTEN:$1,reuseaddr" STDOUT | b2sum
}

send() {
	socat -b 262144 -u OPEN:/run/file "TCP:$1,connect-timeout=10,retry=20,interval=0.5"
}

transfer() {
	local want=$1 family=$2 host=$3 guest=$4 got

	receive 7001 "$family" >/run/got &
	sleep 0.5
	guest vm1 send "$host:7001" || return
	wait $!
	got=$(</run/got)
	check_equal "IPv$family, guest to host: $SIZE_MB MiB are the same" "$want" "$got"
	guest_bg vm1 receive 7002 "$family"
	sleep 1
	send "$guest:7002"
	got=$(guest_wait vm1 "$GUEST_JOB")
	check_equal "IPv$family, host to guest: $SIZE_MB MiB are the same" "$want" "$got"
}

# Before there is a worker: an emulated CPU does not bear its code being changed.
turns_prepare() {
	local event

	mkdir $TURNS && echo 0 >$TURNS/tracing_on && echo 4096 >$TURNS/buffer_size_kb || return
	for event in net_take work; do
		echo 1 >$TURNS/events/pvbus_host/pvbus_host_$event/enable || return
	done
}

# Bytes of the largest turn that was traced.
turns_largest() {
	awk '{ amount = $0; sub(/.*amount=/, "", amount) }
		/pvbus_host_net_take:/ { sum += amount }
		/pvbus_host_work:/ { if (sum > most) most = sum; sum = 0 }
		END { print most + 0 }' $TURNS/trace
}

both_families() {
	local want largest

	want=$(b2sum </run/file)
	echo 1 >$TURNS/tracing_on
	transfer "$want" 4 192.0.2.1 192.0.2.2
	echo 0 >$TURNS/tracing_on
	largest=$(turns_largest)
	diag "the largest turn: $largest bytes"
	check "several packets are taken at a time" test "$largest" -gt $((2 * PACKET))
	check "and not more than may be" test "$largest" -lt $((TURN + PACKET))
	transfer "$want" 6 '[2001:db8::1]' '[2001:db8::2]'
}

pings() {
	local host

	for host in 192.0.2.1 2001:db8::1; do
		check "$1: ping of 65507 bytes to $host" \
			ping -c 3 -i 0.3 -W 5 -s 65507 "$host"
		check "$1: small ping to $host" ping -c 3 -i 0.2 -W 5 -s 1 "$host"
	done
}

guest_pings() {
	ip link set lan mtu "$1"
	pings "MTU $1"
}

no_offload() {
	ethtool -K "$1" tx off tso off sg off gro off rx off 2>&1
	[ "$(ethtool -k "$1" |
		grep -cE '^(tx-checksumming|tcp-segmentation-offload|rx-checksumming): off')" = 3 ]
}

host() {
	local mtu

	check "the host module loads" pvbus_host_load || return
	check "its turns can be traced" turns_prepare || return
	check "pvbusd starts" pvbusd_start vm1 --net id=lan,ifname=lan0 || return
	ip link set lan0 up
	ip addr add 192.0.2.1/24 dev lan0
	ip addr add 2001:db8::1/64 dev lan0 nodad
	check "a guest boots" pvbus_guest vm1 || return
	check "it has a network" guest vm1 guest_setup || return
	dd if=/dev/urandom of="$(guest_share vm1)/part" bs=$((1048576 - 1)) count=16 \
		iflag=fullblock status=none
	check "there is a file of $SIZE_MB MiB to send" \
		guest vm1 guest_file || return
	make_file "$(guest_share vm1)/part"
	both_families
	for mtu in 1500 9000; do
		ip link set lan0 mtu $mtu
		guest_tap vm1 guest_pings $mtu
	done
	check "MTU 9000: a transfer" small_transfer
	check "the guest's offloads can be turned off" guest vm1 no_offload lan
	check "without offloads in the guest: a transfer" small_transfer
	check "and the host's" no_offload lan0
	check "without offloads on either side: a transfer" small_transfer
	check "the guest stops" guest_stop vm1
	rmdir $TURNS
}

guest_echo() {
	local file=/run/echo connect="TCP4:192.0.2.1:$1,retry=20,interval=0.5"

	socat -b 262144 -u "$connect" CREATE:$file &&
		socat -b 262144 -u OPEN:$file "${connect/$1/$2}"
}

# There and back. Fewer bytes: here it is about the form of the packets.
small_transfer() {
	local sender receiver

	dd if=/dev/urandom of=/run/small bs=1M count=8 status=none
	socat -b 262144 -u OPEN:/run/small TCP4-LISTEN:7003,reuseaddr &
	sender=$!
	socat -b 262144 -u TCP4-LISTEN:7004,reuseaddr CREATE:/run/back &
	receiver=$!
	guest vm1 guest_echo 7003 7004 && wait $sender && wait $receiver &&
		cmp /run/small /run/back
}
