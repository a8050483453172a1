# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The host's worker threads, by what pvbusctl and the scheduler count.

# worker_sum VM ID KEY: that counter of a device, over its channels; ID "" is all.
worker_sum() {
	pvbusctl stats "$1" --json |
		jq --arg id "$2" --arg key "$3" \
			'[.channels[] | select($id == "" or .id == $id) | .[$key]] | add'
}

# worker_pids VM [ID]
worker_pids() {
	pvbusctl stats "$1" --json |
		jq -r --arg id "${2:-}" '.channels[] | select($id == "" or .id == $id) | .worker'
}

# sched_sum FIELD PID...: nanoseconds run (1), nanoseconds waited for a CPU (2) or
# times run (3), of all these threads.
sched_sum() {
	local field=$1 pid sum=0 stat

	shift
	for pid; do
		read -ra stat <"/proc/$pid/schedstat" || return
		sum=$((sum + stat[field - 1]))
	done
	echo $sum
}

# policy_is PID POLICY: of the scheduler: 0 is SCHED_NORMAL, 3 SCHED_BATCH, 5 SCHED_IDLE.
policy_is() {
	local -a stat

	read -ra stat <"/proc/$1/stat" && [ "${stat[40]}" = "$2" ]
}

# now_us: microseconds, of no beginning.
now_us() {
	echo "${EPOCHREALTIME//[!0-9]/}"
}
