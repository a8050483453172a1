# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The first thing a user does with a network card: an address, a ping, a
# connection.

TIMEOUT=180

in_guest() {
	local card

	check "the drivers load" pvbus_guest_load pvnet || return
	card=$(pvnet_card lan)
	check "there is a card" test -n "$card" || return
	check "it comes up" ip link set "$card" up
	ip addr add 192.0.2.2/24 dev "$card"
	check "the host answers" ping -c 3 -i 0.2 -W 5 192.0.2.1
	check "TCP to the host" iperf3 -c 192.0.2.1 -t 2
	check "TCP from the host" iperf3 -c 192.0.2.1 -t 2 -R
	check "the drivers unload" lab_rmmod pvnet pvbus
}

host() {
	check "the host module loads" pvbus_host_load || return
	check "pvbusd starts" pvbusd_start vm1 \
		--net id=lan,ifname=lan0,mac=52:54:00:12:34:56 || return
	ip link set lan0 up
	ip addr add 192.0.2.1/24 dev lan0
	iperf3 -s -D --pidfile /run/iperf.pid
	check "a guest boots" pvbus_guest vm1 || return
	guest_tap vm1 in_guest
	check "the guest stops" guest_stop vm1
	check "and pvbusd with it" pvbusd_wait vm1
	check "the host module unloads" lab_rmmod pvbus_host
}
