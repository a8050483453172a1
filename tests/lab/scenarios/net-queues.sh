# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# A card with two queues: both are used, and what the host sends comes in the
# queue that the guest sends that connection's packets from.

TIMEOUT=300

CONNECTIONS=6
MANY=24

guest_setup() {
	pvnet_guest lan 192.0.2.2 && ping -c 1 -W 5 192.0.2.1
}

# counts NAME: of queue 0 and 1.
counts() {
	ethtool -S lan | awk -v name="$1:" '$1 ~ "queue[01]_" name "$" { printf "%s ", $2 }'
}

# busier OLD NEW: which queue has counted more.
busier() {
	local old new

	read -ra old <<<"$1"
	read -ra new <<<"$2"
	echo $((new[1] - old[1] > new[0] - old[0]))
}

# Many packets each way in one connection: its data one way, its acknowledgements
# the other.
guest_connection() {
	local tx rx

	tx=$(counts tx_packets) rx=$(counts rx_packets)
	iperf3 -c 192.0.2.1 -R -n 4M --cport "$1" >/dev/null || return
	tx=$(busier "$tx" "$(counts tx_packets)")
	rx=$(busier "$rx" "$(counts rx_packets)")
	diag "connection from port $1: sends from queue $tx, receives from queue $rx"
	[ "$tx" = "$rx" ]
}

guest_flows() {
	local i rx

	check "the card has two queues" grep -q "Combined:.*2" <<<"$(ethtool -l lan)"
	# without GRO and segmentation there are more packets to count
	ethtool -K lan gro off
	for ((i = 0; i < CONNECTIONS; i++)); do
		check "connection $i stays in one queue" guest_connection $((20000 + i))
	done
	# so many that no queue can have next to none of them by chance
	for i in "" -R; do
		check "$MANY connections at once $i" iperf3 -c 192.0.2.1 -t 3 -P $MANY $i
	done
	read -ra rx <<<"$(counts rx_packets)"
	diag "received: ${rx[*]}"
	check "both queues receive" test "${rx[0]}" -gt 1000 -a "${rx[1]}" -gt 1000
	read -ra rx <<<"$(counts tx_packets)"
	diag "sent: ${rx[*]}"
	check "both queues send" test "${rx[0]}" -gt 1000 -a "${rx[1]}" -gt 1000
}

# Connections that the guest never answers go by hash.
unknown_flows() {
	local i fd old new

	read -ra old <<<"$(guest vm1 counts rx_packets)"
	for ((i = 0; i < 200; i++)); do
		exec {fd}>"/dev/udp/192.0.2.9/$((1000 + i))"
		echo x >&"$fd"
		exec {fd}>&-
	done
	sleep 0.5
	read -ra new <<<"$(guest vm1 counts rx_packets)"
	diag "received: ${old[*]}, then ${new[*]}"
	[ $((new[0] - old[0])) -gt 30 ] && [ $((new[1] - old[1])) -gt 30 ]
}

host() {
	check "the host module loads" pvbus_host_load || return
	check "pvbusd starts" pvbusd_start vm1 \
		--net id=lan,ifname=lan0,queues=2,mac=52:54:00:12:34:56 || return
	ip link set lan0 up
	ip addr add 192.0.2.1/24 dev lan0
	ip neigh add 192.0.2.9 lladdr 52:54:00:12:34:56 dev lan0
	iperf3 -s -D --pidfile /run/iperf.pid
	check "a guest with two CPUs boots" pvbus_guest vm1 --smp 2 || return
	check "it has a network" guest vm1 guest_setup || return
	guest_tap vm1 guest_flows
	check "what the guest never sent of is spread" unknown_flows
	check "the guest stops" guest_stop vm1
}
