# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# PID 1 of a guest VM: does what the host VM asks for over a virtio-serial
# port (the protocol is in lib/agent.sh).  Sleeps in a read otherwise, so an
# idle guest is idle.  Comes after the configuration and the library, in one
# file that guest_start makes.

set -u
setup_system "$LAB_GUEST"
. /lab/.scenario.sh

agent_port() {
	local port name

	for port in /sys/class/virtio-ports/*; do
		read -r name <"$port/name"
		if [ "$name" = lab.agent ]; then
			echo "/dev/${port##*/}"
			return 0
		fi
	done
	return 1
}

agent_run() {
	local id=$1 status

	( eval "$2" ) 4>&- </dev/null >"/lab/.job.$id.out" 2>"/lab/.job.$id.err"
	status=$?
	echo "done $id $status" >&4
}

agent_end() {
	kmemleak_report
	sync
	exec busybox "$1" -f
}

if ! port=$(agent_port); then
	echo "<2>lab-init: FAILED: no agent port (is virtio_console there?)" >/dev/kmsg
	exec busybox poweroff -f
fi
exec 4<>"$port" </dev/null >/dev/null 2>/dev/console
cd /
declare -A jobs=()

# Each job gets a process group, to be killed by.
set -m
echo hello >&4
while IFS= read -r line <&4; do
	case $line in
	"run "*)
		rest=${line#run }
		id=${rest%% *}
		agent_run "$id" "${rest#* }" &
		jobs[$id]=$!
		;;
	"kill "*)
		id=${line#kill }
		[ -n "${jobs[$id]:-}" ] && kill -KILL -- "-${jobs[$id]}"
		;;
	poweroff | reboot)
		agent_end "$line"
		;;
	esac
done
echo "<2>lab-init: FAILED: the agent's port is gone" >/dev/kmsg
exec busybox poweroff -f
