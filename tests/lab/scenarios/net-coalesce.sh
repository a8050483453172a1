# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# A guest sets by ethtool how its interrupts are put off, by time and by count.

TIMEOUT=420

PACKETS=2000

guest_setup() {
	pvnet_guest lan 192.0.2.2 && ping -c 1 -W 5 192.0.2.1
}

# says VALUE...: are they in the output of "ethtool -c", after "NAME: "?
says() {
	local out value

	out=$(ethtool -c lan) || return
	for value in "$@"; do
		grep -qxF "$value" <<<"${out//$'\t'/ }" && continue
		echo "no line \"$value\" in:"
		echo "$out"
		return 1
	done
}

guest_settings() {
	check "a new card leaves it to the host" says "Adaptive RX: on  TX: on" \
		"rx-usecs: 0" "rx-frames: 0" "tx-usecs: 0"
	check_fails "more than 1000 us" ethtool -C lan adaptive-rx off rx-usecs 1001
	check_fails "more than 128 packets" ethtool -C lan adaptive-rx off rx-frames 129
	check_fails "both ways at once" ethtool -C lan rx-usecs 10
	check_fails "and to the host" ethtool -C lan tx-usecs 10
	check_fails "what the ring cannot do" ethtool -C lan tx-frames 10
	check "nothing has changed" says "Adaptive RX: on  TX: on" "rx-usecs: 0"
	check "both can be set" ethtool -C lan adaptive-rx off rx-usecs 1000 \
		rx-frames 128 adaptive-tx off tx-usecs 1000
	check "it says so" says "Adaptive RX: off  TX: off" "rx-usecs: 1000" \
		"rx-frames: 128" "tx-usecs: 1000"
	check "one queue by itself" ethtool -Q lan queue_mask 0x1 --coalesce rx-usecs 10
	check "which says so" says "rx-usecs: 10"
	check "and back" ethtool -C lan adaptive-rx on adaptive-tx on
}

# guest_set ARGUMENTS...
guest_set() {
	ethtool -C lan "$@"
}

# guest_count NAME: sum over the queues.
guest_count() {
	ethtool -S lan | awk -v name="_$1:" 'index($1, name) { n += $2 } END { print n }'
}

guest_counts() {
	echo "$(guest_count rx_packets) $(guest_count interrupts)"
}

# send_packets: packets that the guest throws away, as it knows nobody
# whom they are for, with a moment between two.
send_packets() {
	local i card never

	mkfifo /run/never
	exec {card}>/dev/udp/192.0.2.9/9 {never}<>/run/never
	for ((i = 0; i < PACKETS; i++)); do
		echo x >&"$card"
		read -r -t 0.0001 -u "$never"
	done
	exec {card}>&- {never}>&-
	rm /run/never
}

# load WHAT: packets for each 100 interrupts into "per", interrupts for each 100 ms into
# "often".
load() {
	local old new packets interrupts began ms

	read -ra old <<<"$(guest vm1 guest_counts)"
	began=$(now_us)
	send_packets
	ms=$((($(now_us) - began) / 1000 + 1))
	sleep 0.5
	read -ra new <<<"$(guest vm1 guest_counts)"
	packets=$((new[0] - old[0])) interrupts=$((new[1] - old[1]))
	check "$1: the packets arrive" test $packets -ge $PACKETS
	per=$((packets * 100 / (interrupts + 1))) often=$((interrupts * 100 / ms))
	diag "$1: $packets packets in $ms ms, $interrupts interrupts"
}

# fast WHAT: round trip of a ping, in microseconds, into "rtt". Of 40 the fifth: whatever
# else a card sends or gets, as it does when it has come up, may hurry a few of them.
fast() {
	rtt=$(ping -c 40 -i 0.05 -W 5 192.0.2.2 |
		awk -F 'time=' 'NF > 1 { printf "%d\n", $2 * 1000 }' | sort -n | sed -n 5p)
	diag "$*: the fifth of 40 pings took $rtt us"
}

host() {
	local per often rtt per_packet rtt_packet rtt_time

	check "the host module loads" pvbus_host_load || return
	check "pvbusd starts" pvbusd_start vm1 \
		--net id=lan,ifname=lan0,queues=1,mac=52:54:00:12:34:56 || return
	ip link set lan0 up
	ip addr add 192.0.2.1/24 dev lan0
	ip neigh add 192.0.2.9 lladdr 52:54:00:12:34:56 dev lan0
	check "a guest boots" pvbus_guest vm1 || return
	check "it has a network" guest vm1 guest_setup || return
	guest_tap vm1 guest_settings
	check_fails "the host's end has nothing to set" ethtool -C lan0 rx-usecs 10

	check "no waiting" guest vm1 guest_set adaptive-rx off rx-usecs 0 \
		adaptive-tx off tx-usecs 0
	load "rx-usecs 0"
	per_packet=$per
	fast "rx-usecs 0"
	rtt_packet=$rtt
	check "1 ms" guest vm1 guest_set rx-usecs 1000 rx-frames 0
	load "rx-usecs 1000"
	# a tenth is for what else the guest is told while they are sent
	check "an interrupt a millisecond, not more" test "$often" -le 110
	# A guest that is slow finds others with a packet anyway, as one with a kernel that
	# checks itself does: four to six.
	if [ "$per_packet" -lt 300 ]; then
		check "packets wait for others" test "$per" -gt $((per_packet * 3 / 2))
	fi
	fast "rx-usecs 1000"
	rtt_time=$rtt
	check "each packet then waits" test $((rtt_time - rtt_packet)) -gt 500
	check "1 ms, or one packet" guest vm1 guest_set rx-frames 1
	fast "rx-usecs 1000 rx-frames 1"
	check "which is announced at once" test $((rtt_time - rtt)) -gt 500
	check "1 ms again" guest vm1 guest_set rx-frames 0
	check "the card goes down and up" guest vm1 eval \
		"ip link set lan down && ip link set lan up && ping -c 1 -W 5 192.0.2.1"
	fast "rx-usecs 1000, opened anew"
	check "and waits still" test $((rtt - rtt_packet)) -gt 500
	echo 0 >/sys/module/pvbus_host/parameters/coalesce_max_us
	fast "rx-usecs 1000, and the host allows 0"
	check "the host has the last word" test $((rtt_time - rtt)) -gt 500
	echo 1000 >/sys/module/pvbus_host/parameters/coalesce_max_us

	iperf3 -s -D --pidfile /run/iperf.pid
	check "TCP to the host while packets wait" guest vm1 iperf3 -c 192.0.2.1 -t 2
	check "TCP from the host" guest vm1 iperf3 -c 192.0.2.1 -t 2 -R
	check "back to the beginning" guest vm1 guest_set adaptive-rx on adaptive-tx on
	check "the guest stops" guest_stop vm1
}
