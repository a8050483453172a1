# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# pvbus in the lab: the host's module and daemons, and the guest's drivers.

_PVBUS_BIN=$REPO/build/bin
PATH=$_PVBUS_BIN:$PATH
# Daemons of a scenario: logs, pids, sockets.
_PVBUS_RUN=/run/pvbus-lab

# pvbus_host_load [PARAM=VALUE...]: the host's module.
pvbus_host_load() {
	mkdir -p $_PVBUS_RUN
	lab_insmod pvbus_host "$@"
}

# pvbusd_socket VM: where its QEMU connects.
pvbusd_socket() {
	echo "$_PVBUS_RUN/$1.sock"
}

# pvbusd_start VM ARGUMENTS...: starts a daemon and waits until it is ready.
# Not in a subshell: the daemon's pid is kept for pvbusd_stop.
pvbusd_start() {
	local vm=$1 socket=() i

	shift
	mkdir -p $_PVBUS_RUN
	[ "$1" = --loopback ] || socket=(--socket "$(pvbusd_socket "$vm")")
	pvbusd --name "$vm" "${socket[@]}" "$@" \
		>"$_PVBUS_RUN/$vm.out" 2>"$_PVBUS_RUN/$vm.err" &
	echo $! >"$_PVBUS_RUN/$vm.pid"
	for ((i = 0; i < 100; i++)); do
		grep -q ready "$_PVBUS_RUN/$vm.out" && return 0
		pvbusd_alive "$vm" || break
		sleep 0.1
	done
	echo "pvbusd $vm is not ready:"
	pvbusd_log "$vm"
	return 1
}

pvbusd_pid() {
	cat "$_PVBUS_RUN/$1.pid"
}

pvbusd_alive() {
	kill -0 "$(pvbusd_pid "$1")" 2>/dev/null
}

# pvbusd_log VM: what it has said.
pvbusd_log() {
	cat "$_PVBUS_RUN/$1.out" "$_PVBUS_RUN/$1.err"
}

# pvbusd_wait VM [SECONDS]: until the daemon is gone.
pvbusd_wait() {
	local i

	for ((i = 0; i < ${2:-10} * 10; i++)); do
		pvbusd_alive "$1" || return 0
		sleep 0.1
	done
	echo "pvbusd $1 does not end"
	return 1
}

# pvbusd_stop VM: as systemd does.
pvbusd_stop() {
	kill -TERM "$(pvbusd_pid "$1")" 2>/dev/null
	pvbusd_wait "$1" 20
}

# pvbusd_kill VM: as a crash does.
pvbusd_kill() {
	local pid

	pid=$(pvbusd_pid "$1")
	disown "$pid"
	kill -KILL "$pid" && pvbusd_wait "$1"
}

# pvbus_qemu VM [VECTORS]: QEMU's arguments, one word each.
pvbus_qemu() {
	echo "-chardev socket,path=$(pvbusd_socket "$1"),id=pvbus" \
		"-device ivshmem-doorbell,vectors=${2:-8},chardev=pvbus"
}

# pvbus_guest VM [guest_start's arguments]: boots a guest whose QEMU is
# connected to the daemon of the same name.
pvbus_guest() {
	local vm=$1

	shift
	# shellcheck disable=SC2046 # words
	guest_start "$vm" "$@" $(pvbus_qemu "$vm" "${VECTORS:-8}")
}

# --- in a guest (or in the host VM, on loopback) ---

# wait_for FILE [SECONDS]
wait_for() {
	local i

	for ((i = 0; i < ${2:-10} * 10; i++)); do
		[ -e "$1" ] && return 0
		sleep 0.1
	done
	echo "no $1 in ${2:-10} s"
	return 1
}

# pvbus_guest_load [DRIVER...]: the bus and drivers of devices.
pvbus_guest_load() {
	local driver

	lab_insmod pvbus || return
	for driver in "$@"; do
		lab_insmod "$driver" || return
	done
}

# _pvbus_child ID CLASS: what the device of that id has become, once it is there.
_pvbus_child() {
	local i dev child id

	for ((i = 0; i < 100; i++)); do
		for dev in /sys/bus/pvbus/devices/*; do
			id=
			[ ! -e "$dev/id" ] || read -r id <"$dev/id"
			[ "$id" = "$1" ] || continue
			for child in "$dev/$2"/*; do
				[ -e "$child" ] || continue
				echo "${child##*/}"
				return 0
			done
		done
		sleep 0.1
	done
	echo "no $2 device $1" >&2
	return 1
}

# pvblk_disk ID: the node of a pvbus disk, once it is there.
pvblk_disk() {
	local name

	name=$(_pvbus_child "$1" block) && wait_for "/dev/$name" >&2 && echo "/dev/$name"
}

# pvnet_card ID: the interface of a pvbus network card, once it is there.
pvnet_card() {
	_pvbus_child "$1" net
}

# pvnet_guest ID ADDRESS: the bus, the card of that id as interface ID, up, and
# that address of 192.0.2.0/24.
pvnet_guest() {
	local card

	pvbus_guest_load pvnet || return
	card=$(pvnet_card "$1") || return
	ip link set "$card" name "$1" && ip link set "$1" up &&
		ip addr add "$2/24" dev "$1"
}
