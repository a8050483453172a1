# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Two guests on one host bridge talk to each other through their pvbus cards;
# a third one, which is not on it, hears nothing.

TIMEOUT=300

# Of what others send: the host's interface speaks IPv6 by itself.
guest_listen() {
	tcpdump -i lan -n -l -e --immediate-mode not ether proto 0x86dd and \
		not ether src "$(cat /sys/class/net/lan/address)" \
		>/lab/heard 2>/lab/tcpdump
}

guest_ready() {
	local i

	for ((i = 0; i < 100; i++)); do
		grep -q "listening on" /lab/tcpdump && return 0
		sleep 0.1
	done
	return 1
}

guest_serve() {
	iperf3 -s -1
}

host() {
	local n=1 vm heard

	check "the host module loads" pvbus_host_load || return
	ip link add br0 type bridge
	ip link set br0 up
	for vm in one two three; do
		n=$((n + 1))
		check "pvbusd $vm starts" pvbusd_start $vm --net id=lan,ifname=$vm || return
		check "guest $vm boots" pvbus_guest $vm --mem 512M || return
		check "guest $vm has a card" guest $vm pvnet_guest lan "192.0.2.$n" || return
		ip link set $vm up
	done
	ip link set one master br0
	ip link set two master br0
	check_equal "three VMs are listed" 3 "$(pvbusctl list --json | jq length)"

	guest_bg three guest_listen
	check "three listens" guest three guest_ready
	check "one reaches two" guest one ping -c 3 -i 0.3 -W 5 192.0.2.3
	check "two reaches one" guest two ping -c 3 -i 0.3 -W 5 192.0.2.2
	guest_bg two guest_serve
	sleep 1
	check "TCP from one to two" guest one iperf3 -c 192.0.2.3 -t 2
	check_fails "one does not reach three" guest one ping -c 2 -i 0.3 -W 1 192.0.2.4
	heard=$(guest_share three)/heard
	check_equal "three has heard nothing" "" "$(cat "$heard")"
	ip link set three master br0
	check "on the bridge, three is reached" guest one ping -c 2 -i 0.3 -W 5 192.0.2.4
	check "and hears" within 5 grep -q 192.0.2.2 "$heard"
	for vm in one two three; do
		check "guest $vm stops" guest_stop $vm
		check "and its pvbusd" pvbusd_wait $vm
	done
	ip link del br0
}
