# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What an administrator does to a card's interface in the host while the guest uses it:
# down, another name, another namespace, the end of that namespace.

TIMEOUT=180

guest_setup() {
	pvnet_guest lan 192.0.2.2
}

# A flow of packets that goes on, whatever becomes of them.
guest_busy() {
	while :; do
		ping -q -f -s 1400 -c 200 -w 2 192.0.2.1 >/dev/null 2>&1
	done
}

guest_pings() {
	local i

	for ((i = 0; i < 20; i++)); do
		ping -q -c 1 -W 1 192.0.2.1 >/dev/null && return
	done
	echo "no answer from 192.0.2.1"
	return 1
}

# lan NAME [COMMAND-PREFIX...]: that interface, ready for use.
lan() {
	"${@:2}" ip addr replace 192.0.2.1/24 dev "$1" &&
		"${@:2}" ip link set "$1" up
}

# works NAME [COMMAND-PREFIX...]
works() {
	check "it is set up" lan "$@"
	check "the guest is answered" guest vm1 guest_pings
}

down_and_up() {
	local i

	for ((i = 0; i < 10; i++)); do
		ip link set "$1" down && sleep 0.1 && ip link set "$1" up || return
	done
}

# The device by the guest's id, under whatever name.
netdev_of() {
	pvbusctl show vm1 --json | jq -r '.devices[] | select(.id == "lan").ifname'
}

host() {
	check "the host module loads" pvbus_host_load || return
	check "pvbusd starts" pvbusd_start vm1 --net id=lan,ifname=lan0 || return
	check "a guest boots" pvbus_guest vm1 || return
	check "its card is set up" lan lan0
	check "it has a network" guest vm1 guest_setup || return
	guest_bg vm1 guest_busy

	check "the interface goes down and up ten times" down_and_up lan0
	check "the guest is answered" guest vm1 guest_pings
	ip link set lan0 down
	check "it gets another name" ip link set lan0 name moved0
	check_equal "pvbusctl says so" moved0 "$(netdev_of)"
	works moved0

	check "there is a namespace" ip netns add other
	check "it moves there" ip link set moved0 netns other
	works moved0 ip netns exec other
	check "the namespace ends" ip netns del other
	check "the interface is back" wait_for /sys/class/net/moved0
	works moved0

	check "it moves to another" ip netns add another
	check "and there" ip link set moved0 netns another
	check "the card is removed" pvbusctl remove vm1 lan
	check_fails "it is gone from there" ip netns exec another ip link show moved0
	ip netns del another
	check "the guest lives" guest vm1 true
	check "the guest stops" guest_stop vm1
	check "the host module unloads" lab_rmmod pvbus_host
}
