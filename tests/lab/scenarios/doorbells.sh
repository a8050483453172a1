# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# A guest that rings doorbells without end, for nothing, does not keep the
# worker busy, and its packets go on.

TIMEOUT=300

STORM_SECONDS=6

guest_setup() {
	pvnet_guest lan 192.0.2.2 && ping -c 1 -W 5 192.0.2.1
}

# guest_storm VECTOR SECONDS
guest_storm() {
	local dev

	for dev in /sys/bus/pci/devices/*; do
		[ "$(cat "$dev/vendor" "$dev/device" | xargs)" = "0x1af4 0x1110" ] || continue
		/lab/ring_doorbell "$dev" "$1" "$2"
		return
	done
	return 1
}

# counter NAME: of the card's only channel.
counter() {
	pvbusctl stats vm1 --json | jq ".channels[0].$1"
}

# cpu_ms PID: that it has used.
cpu_ms() {
	local ns

	read -r ns _ <"/proc/$1/schedstat" && echo $((ns / 1000000))
}

# storm VECTOR: into doorbells, wakeups, pauses, cpu (ms) and passed (ms).
storm() {
	local worker begun

	worker=$(counter worker)
	doorbells=$(counter doorbells) wakeups=$(counter wakeups) pauses=$(counter pauses)
	guest_bg vm1 guest_storm "$1" $STORM_SECONDS
	sleep 2
	cpu=$(cpu_ms "$worker") begun=${EPOCHREALTIME/./}
	check "packets go on" ping -c 5 -i 0.2 -W 5 192.0.2.2
	sleep 1
	passed=$(((${EPOCHREALTIME/./} - begun) / 1000))
	cpu=$(($(cpu_ms "$worker") - cpu))
	check "the guest has rung" guest_wait vm1 "$GUEST_JOB"
	doorbells=$(($(counter doorbells) - doorbells))
	wakeups=$(($(counter wakeups) - wakeups))
	pauses=$(($(counter pauses) - pauses))
	diag "vector $1: $doorbells doorbells, $wakeups wakeups, $pauses pauses," \
		"the worker ran for $cpu of $passed ms"
}

host() {
	local doorbells wakeups pauses cpu passed

	check "the program that rings is built" \
		cc -O2 -static -o /run/ring_doorbell "$LAB_DIR/fault/ring_doorbell.c" || return
	check "the host module loads" pvbus_host_load || return
	check "pvbusd starts" pvbusd_start vm1 --net id=lan,ifname=lan0,queues=1 || return
	ip link set lan0 up
	ip addr add 192.0.2.1/24 dev lan0
	check "a guest boots" pvbus_guest vm1 --append iomem=relaxed || return
	cp /run/ring_doorbell "$(guest_share vm1)/"
	check "it has a network" guest vm1 guest_setup || return
	check_equal "no pauses so far" 0 "$(counter pauses)"

	storm 1
	check "there was a storm" test "$doorbells" -gt 10000
	check "the worker has paused" test "$pauses" -gt 100
	check "few doorbells have woken it" test $((wakeups * 4)) -lt "$doorbells"
	check "it has run for less than a third of the time" \
		test $((cpu * 3)) -lt "$passed"

	check "a ping afterwards" ping -c 3 -i 0.2 -W 5 192.0.2.2
	pauses=$(counter pauses)
	iperf3 -s -D --pidfile /run/iperf.pid
	check "TCP to the host" guest vm1 iperf3 -c 192.0.2.1 -t 2
	check "TCP from the host" guest vm1 iperf3 -c 192.0.2.1 -t 2 -R
	check_equal "and who has work is heard at once" "$pauses" "$(counter pauses)"

	storm 0
	check "on the control vector: the channel is not concerned" \
		test "$doorbells" -lt 10000
	check "the guest stops" guest_stop vm1
}
